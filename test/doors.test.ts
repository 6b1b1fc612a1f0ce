/** Which transport answers where: seen by its first SETTINGS. Only lean says how many streams it takes. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDoors } from '../src/doors.js';
import type { Address, ListenSettings } from '../src/model/settings.js';
import { PREFACE, settings } from '../src/wire/lean/frame.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fh-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const LISTEN: ListenSettings = {
  check: [],
  socketMode: 0o600,
  transport: 'lean',
  tls: null,
  secretFile: null,
  plaintext: false,
  reflection: false,
  admin: null,
  adminTokenFile: null,
  health: null,
  metrics: null,
  drainDelay: 0,
};

async function transportOf(changes: Partial<ListenSettings>, kind: Address['kind']): Promise<'lean' | 'grpc-js'> {
  const address: Address = kind === 'unix' ? { kind, path: join(folder, 's') } : { kind, host: '127.0.0.1', port: 0 };
  const silent = { warn: () => {} } as never;
  const doors = await openDoors({ ...LISTEN, check: [address], ...changes }, silent, {
    handle: () => Buffer.of(0x0a, 0),
    secret: undefined,
    adminToken: undefined,
  } as never);
  const [listener] = doors.listeners;
  const socket = listener?.address.kind === 'tcp' ? connect(listener.address) : connect(join(folder, 's'));
  socket.write(Buffer.concat([PREFACE, settings()]));
  const [first] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  await listener?.close(100);
  return first.includes(Buffer.of(0, 3, 0, 0, 0x40, 0)) ? 'lean' : 'grpc-js';
}

test('Unix sockets are lean, TCP is grpc-js', async () => {
  expect(await transportOf({}, 'unix')).toBe('lean');
  expect(await transportOf({ plaintext: true }, 'tcp')).toBe('grpc-js');
});

test('transport: grpc-js and reflection make Unix sockets grpc-js', async () => {
  expect(await transportOf({ transport: 'grpc-js' }, 'unix')).toBe('grpc-js');
  expect(await transportOf({ reflection: true }, 'unix')).toBe('grpc-js');
});
