/**
 * The same said to both transports: lean, and grpc-js over node's HTTP/2. Once by a grpc-js client, once in raw frames.
 * What comes of each call must be the same; where it is not, the difference is written down here, with its reason.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGrpcListener } from '../../../src/wire/grpc-server.js';
import * as frames from '../../../src/wire/lean/frame.js';
import { frame, PREFACE, settings } from '../../../src/wire/lean/frame.js';
import { startLeanListener } from '../../../src/wire/lean/listener.js';
import { framed } from '../../../src/wire/lean/response.js';
import type { Listener, ListenerOptions } from '../../../src/wire/listener.js';
import { seeded } from '../../helpers/random.js';
import { connectTo } from '../client.js';
import type { TestClient } from '../client.js';
import { bytesOf } from './conversation.js';
import { decode } from './hpack.js';
import type { Pair } from './hpack.js';
import { data, headers, headersOf } from './wire.js';

const MESSAGE = framed(Buffer.from('request'));
const SECRET = 's3cret';
const NAMES = ['grpc-js', 'lean'] as const;

let folder: string;
const listeners = new Map<string, Listener>();
const clients = new Map<string, TestClient>();
const seen = new Map<string, string[]>(NAMES.map((name) => [name, []]));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fh-'));
  for (const [name, start] of [['grpc-js', startGrpcListener] as const, ['lean', startLeanListener] as const]) {
    const listener = await start(optionsOf(name));
    listeners.set(name, listener);
    clients.set(name, connectTo(listener.address));
  }
});
afterAll(async () => {
  for (const client of clients.values()) client.close();
  await Promise.all([...listeners.values()].map((listener) => listener.close(100)));
  rmSync(folder, { recursive: true });
});

const pathOf = (name: string): string => join(folder, name);

/** Answers by what it is asked: at once, later, late, never well. */
function optionsOf(name: string): ListenerOptions {
  return {
    address: { kind: 'unix', path: pathOf(name) },
    socketMode: 0o600,
    reflection: false,
    secret: () => SECRET,
    log: () => {},
    handle: (bytes, deadline) => {
      const text = bytes.toString('latin1');
      // Its deadline may pass before it is here at all.
      if (!text.startsWith('never'))
        seen.get(name)?.push(`${bytes.length} ${deadline === undefined ? 'none' : 'deadline'}`);
      if (text.startsWith('throw')) throw new Error('broken');
      if (text.startsWith('never')) return new Promise<Buffer>(() => {});
      const answer = Buffer.from(`answer to ${bytes.length}`);
      return text.startsWith('later') ? new Promise((resolve) => setImmediate(() => resolve(answer))) : answer;
    },
  };
}

const both = async (ask: (client: TestClient) => Promise<Buffer | string>): Promise<[string, string]> => {
  const said = [...clients.values()].map((client) =>
    ask(client).then(
      (answer) => `answer ${Buffer.from(answer).toString('hex')}`,
      (error: { code: number }) => `status ${error.code}`,
    ),
  );
  return (await Promise.all(said)) as [string, string];
};

describe('calls of a grpc-js client', () => {
  test('random ones are answered alike', async () => {
    const random = seeded(21);
    const counts = new Map<string, number>();
    for (let round = 0; round < 150; round++) {
      const word = random.pick(['', 'later', 'throw', 'never', 'later']);
      const bytes = Buffer.concat([Buffer.from(word), bytesOf(random, random.pick([10, 1_000, 100_000]))]);
      const secret = random.below(5) === 0 ? random.pick(['', 'wrong', `${SECRET}0`, SECRET.toUpperCase()]) : SECRET;
      const metadata = {
        ...(random.below(9) > 0 && { 'x-firsthand-secret': secret }),
        ...(random.below(3) === 0 && { [`x-${random.below(5)}`]: 'v'.repeat(random.below(200)) }),
      };
      const deadline = word === 'never' ? Date.now() + 40 : Date.now() + 10_000;
      const [grpcJs, lean] = await both((client) => client.check(bytes, { metadata, deadline }));
      expect(lean, `round ${round}`).toBe(grpcJs);
      const kind = grpcJs.startsWith('answer') ? 'answer' : grpcJs;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    console.log('differential, grpc-js client', Object.fromEntries(counts));
    expect(counts.get('answer')).toBeGreaterThan(60);
    expect(counts.get('status 16')).toBeGreaterThan(20);
    expect(counts.get('status 4')).toBeGreaterThan(10);
    expect(seen.get('lean')).toEqual(seen.get('grpc-js'));
  });

  test.each([
    ['/envoy.service.auth.v3.Authorization/Chec', ''],
    ['/envoy.service.auth.v3.Authorization/', ''],
    ['/grpc.health.v1.Health/Check', ''],
    ['/grpc.health.v1.Health/Check', '0a056f74686572'],
    ['/grpc.health.v1.Health/Check', '0aff'],
    ['/grpc.health.v1.Health/Nothing', ''],
    ['/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', ''],
    ['/other/thing', '00'],
  ])('to %s with %s end alike', async (path, message) => {
    const [grpcJs, lean] = await both((client) => client.call(path, Buffer.from(message, 'hex')));
    expect(lean).toBe(grpcJs);
  });
});

const withSecret = (changes: Readonly<Record<string, string | undefined>> = {}): readonly Pair[] =>
  headersOf({ 'x-firsthand-secret': SECRET, ...changes });

describe('raw frames', () => {
  const ended = frames.END_HEADERS | frames.END_STREAM;
  test.each<[string, Buffer[], string?]>([
    ['a call', [headers(1, withSecret()), data(1, MESSAGE)]],
    ['a call in pieces', [headers(1, withSecret()), data(1, MESSAGE.subarray(0, 3), 0), data(1, MESSAGE.subarray(3))]],
    ['no message', [headers(1, withSecret()), data(1, Buffer.alloc(0))]],
    ['no DATA', [headers(1, withSecret(), ended)]],
    ['two messages', [headers(1, withSecret()), data(1, Buffer.concat([MESSAGE, MESSAGE]))]],
    ['a deadline', [headers(1, withSecret({ 'grpc-timeout': '5S' })), data(1, MESSAGE)]],
    ['a deadline that is none', [headers(1, withSecret({ 'grpc-timeout': 'soon' })), data(1, MESSAGE)]],
    ['no secret', [headers(1), data(1, MESSAGE)]],
    ['a secret twice', [headers(1, [...withSecret(), ['x-firsthand-secret', SECRET]]), data(1, MESSAGE)]],
    [
      'a value with a space behind',
      [headers(1, withSecret({ 'x-firsthand-secret': `${SECRET} ` })), data(1, MESSAGE)],
      'malformed by RFC 9113 §8.2.1, which grpc-js takes for another secret',
    ],
    ['another path', [headers(1, withSecret({ ':path': '/a/b' })), data(1, MESSAGE)]],
    ['another content type', [headers(1, withSecret({ 'content-type': 'text/plain' })), data(1, MESSAGE)]],
    ['no path', [headers(1, withSecret({ ':path': undefined })), data(1, MESSAGE)]],
    ['a name in capitals', [headers(1, withSecret({ Bad: 'x' })), data(1, MESSAGE)]],
    ['connection', [headers(1, withSecret({ connection: 'x' })), data(1, MESSAGE)]],
    [
      'a compressed message that is none',
      [headers(1, withSecret()), data(1, Buffer.concat([Buffer.of(1), MESSAGE.subarray(1)]))],
      'lean speaks identity only: UNIMPLEMENTED; grpc-js fails to inflate: INTERNAL',
    ],
    [
      'a message that is cut',
      [headers(1, withSecret()), data(1, MESSAGE.subarray(0, -1))],
      'grpc-js takes it for no message: UNIMPLEMENTED; it is a broken one: INTERNAL',
    ],
    ['GET', [headers(1, withSecret({ ':method': 'GET' }), ended)], 'grpc-js does not look at the method'],
    [
      'application/grpc+json',
      [headers(1, withSecret({ 'content-type': 'application/grpc+json' })), data(1, MESSAGE)],
      'grpc-js takes whatever begins with application/grpc; we have no JSON',
    ],
    ['frames of an idle stream', [data(5, MESSAGE)]],
    ['a block that cannot be decompressed', [frame(1, ended, 1, Buffer.of(0xff))]],
    ['SETTINGS of a wrong length', [frame(4, 0, 0, Buffer.alloc(7))]],
  ])('%s', async (_, bytes, difference) => {
    const [grpcJs, lean] = (await Promise.all(NAMES.map((name) => converse(pathOf(name), bytes)))) as [string, string];
    if (difference === undefined) expect(lean).toBe(grpcJs);
    else expect(lean, 'no difference any more').not.toBe(grpcJs);
    // Neither is ever the more generous where the handler was not asked.
    expect(lean.startsWith('OK') && !grpcJs.startsWith('OK')).toBe(false);
  });
});

/** What becomes of stream 1, or else of the connection. */
async function converse(path: string, bytes: readonly Buffer[]): Promise<string> {
  const socket = connect(path);
  const outcome = outcomeOn(socket);
  await once(socket, 'connect');
  socket.write(Buffer.concat([PREFACE, settings(), ...bytes]));
  const said = await outcome;
  socket.destroy();
  return said;
}

function outcomeOn(socket: Socket): Promise<string> {
  let unread = Buffer.alloc(0);
  const message: Buffer[] = [];
  return new Promise((resolve) => {
    socket.on('error', () => resolve('closed'));
    socket.on('close', () => resolve('closed'));
    socket.on('data', (chunk) => {
      unread = Buffer.concat([unread, chunk]);
      while (unread.length >= 9 && unread.length >= 9 + unread.readUIntBE(0, 3)) {
        const end = 9 + unread.readUIntBE(0, 3);
        const [type, flags, payload] = [unread[3], unread[4] ?? 0, unread.subarray(9, end)];
        if (type === frames.DATA) message.push(payload);
        if (type === frames.RST_STREAM) resolve(`RST ${payload.readUInt32BE(0)}`);
        if (type === frames.GOAWAY && payload.readUInt32BE(4) !== 0) resolve('the connection failed');
        if (type === frames.HEADERS && (flags & frames.END_STREAM) !== 0) resolve(ending(payload, message));
        if (type === frames.DATA && (flags & frames.END_STREAM) !== 0) resolve('refused');
        if (type === frames.HEADERS && !known(payload).has('grpc-status') && known(payload).get(':status') !== '200')
          resolve(`http ${known(payload).get(':status')}`);
        unread = unread.subarray(end);
      }
    });
  });
}

/** grpc-js uses a dynamic table, which these conversations are too short to need. */
const known = (payload: Buffer): Map<string, string> => new Map(decode(Buffer.from(payload)));

function ending(payload: Buffer, message: readonly Buffer[]): string {
  const fields = known(payload);
  const code = fields.get('grpc-status');
  if (code === '0') return `OK ${Buffer.concat(message).toString('hex')}`;
  return code === undefined ? `http ${fields.get(':status')}` : `status ${code}`;
}
