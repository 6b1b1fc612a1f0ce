import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startHttpListener } from '../../src/admin/http.js';
import { health, HEALTH_VARIABLE } from '../../src/cli/health.js';
import { startGrpcListener } from '../../src/wire/grpc-server.js';
import { testIo } from '../helpers/io.js';

interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

async function ask(address?: string, env: Readonly<Record<string, string>> = {}): Promise<Said> {
  const io = testIo({ env });
  const exit = await health(address === undefined ? {} : { address }, io);
  expect((io.out() + io.err()).split('\n').length).toBe(2);
  return { exit, out: io.out(), err: io.err() };
}

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function admin(ready: boolean): Promise<string> {
  const listener = await startHttpListener({
    address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    kind: 'admin',
    token: () => undefined,
    readiness: () => ({ ready, detail: { stale: ready ? [] : ['policy'] } }),
    metrics: () => Promise.resolve(''),
    policy: () => ({}),
    revoke: () => Promise.resolve({ status: 200, body: {} }),
    socketMode: 0o660,
    log: { error: () => undefined },
  });
  closing.push(() => listener.close());
  if (listener.address.kind !== 'tcp') throw new Error('no TCP address');
  return `127.0.0.1:${listener.address.port}`;
}

describe('health over HTTP', () => {
  it('is 0 where /readyz says so, and 1 with the detail where it does not', async () => {
    const ready = await admin(true);
    expect(await ask(ready)).toEqual({ exit: 0, out: `serving: ${ready}\n`, err: '' });
    const stale = await admin(false);
    const said = await ask(stale);
    expect([said.exit, said.out]).toEqual([1, `not serving: ${stale}: {"ready":false,"stale":["policy"]}\n`]);
  });

  it('takes the address from the environment, and the one of the command before that', async () => {
    const ready = await admin(true);
    expect((await ask(undefined, { [HEALTH_VARIABLE]: ready })).out).toContain(ready);
    expect((await ask(await admin(false), { [HEALTH_VARIABLE]: ready })).exit).toBe(1);
  });

  it('asks by name too, although the admin listener takes no names of strangers', async () => {
    const ready = await admin(true);
    expect((await ask(ready.replace('127.0.0.1', 'localhost'))).exit).toBe(0);
  });

  it('takes nobody else for a guard', async () => {
    const other = createServer((_, response) => response.writeHead(302, { location: '/login' }).end());
    await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening));
    closing.push(() => new Promise((closed) => other.close(closed)));
    const said = await ask(`127.0.0.1:${(other.address() as AddressInfo).port}`);
    expect([said.exit, said.out]).toEqual([1, '']);
    expect(said.err).toContain('it answered 302');
  });

  it('is 1 where nobody listens, and 2 where the address is none', async () => {
    const gone = await ask('127.0.0.1:1');
    expect([gone.exit, gone.err.startsWith('firsthand: 127.0.0.1:1 gives no answer:')]).toEqual([1, true]);
    expect((await ask('nonsense')).exit).toBe(2);
  });
});

describe('health of a check socket', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'firsthand-health-'));
    closing.push(() => Promise.resolve(rmSync(folder, { recursive: true })));
  });

  it('is what grpc.health.v1 says, also where the listener demands a secret', async () => {
    const path = join(folder, 'check.sock');
    const listener = await startGrpcListener({
      address: { kind: 'unix', path },
      socketMode: 0o660,
      reflection: false,
      secret: () => 's3cret',
      handle: () => Buffer.alloc(0),
      log: () => undefined,
    });
    closing.unshift(() => listener.close(100));
    expect(await ask(`unix:${path}`)).toEqual({ exit: 0, out: `serving: unix:${path}\n`, err: '' });
    listener.setServing(false);
    expect((await ask(`unix:${path}`)).out).toBe(`not serving: unix:${path}: NOT_SERVING\n`);
  });

  it('is 1 where there is no socket', async () => {
    const said = await ask(`unix:${join(folder, 'none.sock')}`);
    expect([said.exit, said.out]).toEqual([1, '']);
    expect(said.err).toContain('gives no answer');
  });
});
