import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Address } from '../../src/model/settings.js';
import { startGrpcListener } from '../../src/wire/grpc-server.js';
import { startLeanListener } from '../../src/wire/lean/listener.js';
import type { Listener, ListenerOptions } from '../../src/wire/listener.js';
import { AUTHORIZATION } from '../../src/wire/names.js';
import { encodeAnswer } from '../../src/wire/write-response.js';
import { makeCa } from '../helpers/pki.js';
import { decodeAnswer } from './answers.js';
import { connectTo } from './client.js';
import type { TestClient } from './client.js';

const CAPTURE = readFileSync(new URL('../captures/hop1-append.bin', import.meta.url));
const ALLOW = encodeAnswer({ kind: 'allow', set: [], remove: [], metadata: { decision: 'allow' } });
const TCP: Address = { kind: 'tcp', host: '127.0.0.1', port: 0 };

let directory: string;
let unix: Extract<Address, { kind: 'unix' }>;
const listeners: Listener[] = [];
const clients: TestClient[] = [];
const logged: { message: string; facts: object | undefined }[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fh-'));
  unix = { kind: 'unix', path: join(directory, 'check.sock') };
  logged.length = 0;
  startListener = startGrpcListener;
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(listeners.splice(0).map((listener) => listener.close(100)));
  rmSync(directory, { recursive: true });
});

const TRANSPORTS = [
  ['grpc-js', startGrpcListener],
  ['lean', startLeanListener],
] as const;
let startListener: (typeof TRANSPORTS)[number][1] = startGrpcListener;

async function start(options: Partial<ListenerOptions> = {}): Promise<Listener> {
  const listener = await startListener({
    address: unix,
    socketMode: 0o600,
    reflection: false,
    handle: () => ALLOW,
    log: (message, facts) => logged.push({ message, facts }),
    ...options,
  });
  listeners.push(listener);
  return listener;
}

function client(address: Address, how?: Parameters<typeof connectTo>[1]): TestClient {
  const made = connectTo(address, how);
  clients.push(made);
  return made;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const codeOf = async (call: Promise<unknown>): Promise<number | 'answered'> =>
  call.then(
    () => 'answered' as const,
    (error: { code: number }) => error.code,
  );

/** ServerReflectionRequest: field 7, list_services. */
const LIST_SERVICES = Buffer.of(0x3a, 0x01, 0x2a);

describe.each(TRANSPORTS)('on %s', (_, startThis) => {
  beforeEach(() => {
    startListener = startThis;
  });

  describe('a check', () => {
    test('hands the bytes over as they came and the answer back as it is', async () => {
      const seen: Buffer[] = [];
      const { address } = await start({ handle: (bytes) => (seen.push(Buffer.from(bytes)), Promise.resolve(ALLOW)) });
      expect((await client(address).check(CAPTURE)).equals(ALLOW)).toBe(true);
      expect((await client(address).check(Buffer.alloc(0))).equals(ALLOW)).toBe(true);
      expect(seen.map((bytes) => bytes.toString('hex'))).toEqual([CAPTURE.toString('hex'), '']);
    });

    test('of more than 1 MiB still reaches the handler, which has to refuse it', async () => {
      const lengths: number[] = [];
      const { address } = await start({ handle: (bytes) => (lengths.push(bytes.length), ALLOW) });
      await client(address).check(Buffer.alloc(5 * 1024 * 1024));
      expect(lengths).toEqual([5 * 1024 * 1024]);
      expect(await codeOf(client(address).check(Buffer.alloc(9 * 1024 * 1024)))).toBe(status.RESOURCE_EXHAUSTED);
    });

    test('comes with its deadline', async () => {
      const deadlines: (number | undefined)[] = [];
      const { address } = await start({ handle: (_, deadline) => (deadlines.push(deadline), ALLOW) });
      const asked = Date.now() + 5_000;
      await client(address).check(CAPTURE, { deadline: asked });
      await client(address).check(CAPTURE, { deadline: Infinity });
      expect(Math.abs((deadlines[0] ?? 0) - asked)).toBeLessThan(200);
      expect(deadlines[1]).toBeUndefined();
    });

    test('whose handler answers too late is over at its deadline, and the next one is answered', async () => {
      const { address } = await start({ handle: () => wait(150).then(() => ALLOW) });
      const caller = client(address);
      expect(await codeOf(caller.check(CAPTURE, { deadline: Date.now() + 50 }))).toBe(status.DEADLINE_EXCEEDED);
      expect(await codeOf(caller.check(CAPTURE))).toBe('answered');
    });

    test.each<[string, ListenerOptions['handle']]>([
      ['rejects', () => Promise.reject(new Error('broken'))],
      [
        'throws',
        () => {
          throw new Error('broken');
        },
      ],
      ['gives an empty answer, which would be an OK', () => Buffer.alloc(0)],
      ['gives nothing', () => undefined as unknown as Buffer],
    ])('whose handler %s is denied as internal_error', async (_, handle) => {
      const { address } = await start({ handle });
      const answer = decodeAnswer(await client(address).check(CAPTURE));
      expect(answer).toMatchObject({
        code: 14,
        httpStatus: 503,
        body: JSON.stringify({ title: 'The decision failed', status: 503 }),
        metadata: { decision: 'deny', reason: 'internal_error' },
      });
      expect(logged).toEqual([{ message: 'the handler of a check failed', facts: { error: expect.any(String) } }]);
    });

    test('is answered though a hundred others are waiting', async () => {
      let release = (): void => {};
      const gate = new Promise<void>((resolve) => (release = resolve));
      const { address } = await start({ handle: (bytes) => (bytes.length === 1 ? gate.then(() => ALLOW) : ALLOW) });
      const caller = client(address);
      const waiting = Array.from({ length: 300 }, () => caller.check(Buffer.of(1)));
      expect(await codeOf(caller.check(CAPTURE))).toBe('answered');
      release();
      expect((await Promise.all(waiting)).length).toBe(300);
    });
  });

  describe('the secret', () => {
    const name = 'x-firsthand-secret';

    test('right, wrong, missing, twice', async () => {
      let calls = 0;
      const { address } = await start({ secret: () => 's3cret', handle: () => (calls++, ALLOW) });
      const caller = client(address);
      expect(await codeOf(caller.check(CAPTURE, { metadata: { [name]: 's3cret' } }))).toBe('answered');
      expect(calls).toBe(1);
      for (const value of ['s3cre', 's3cret1', 'S3CRET', ''])
        expect(await codeOf(caller.check(CAPTURE, { metadata: { [name]: value } }))).toBe(status.UNAUTHENTICATED);
      expect(await codeOf(caller.check(CAPTURE))).toBe(status.UNAUTHENTICATED);
      const twice = { metadata: { [name]: ['s3cret', 's3cret'] } };
      expect(await codeOf(caller.check(CAPTURE, twice))).toBe(status.UNAUTHENTICATED);
      expect(calls).toBe(1);
    });

    test('is the one that is demanded now', async () => {
      let demanded: string | undefined = 'old';
      const { address } = await start({ secret: () => demanded });
      const caller = client(address);
      const withOld = (): Promise<number | 'answered'> =>
        codeOf(caller.check(CAPTURE, { metadata: { [name]: 'old' } }));
      expect(await withOld()).toBe('answered');
      demanded = 'new';
      expect(await withOld()).toBe(status.UNAUTHENTICATED);
      demanded = undefined;
      expect(await codeOf(caller.check(CAPTURE))).toBe('answered');
    });

    test('that is empty lets nobody in', async () => {
      const { address } = await start({ secret: () => '' });
      const caller = client(address);
      expect(await codeOf(caller.check(CAPTURE, { metadata: { [name]: '' } }))).toBe(status.UNAUTHENTICATED);
      expect(await codeOf(caller.check(CAPTURE))).toBe(status.UNAUTHENTICATED);
    });

    test('is not asked of health', async () => {
      const { address } = await start({ secret: () => 's3cret' });
      expect(await client(address).health('')).toBe('SERVING');
    });
  });

  describe('health', () => {
    test('says SERVING for the listener and the service, and nothing about others', async () => {
      const listener = await start();
      const caller = client(listener.address);
      expect(await caller.health('')).toBe('SERVING');
      expect(await caller.health(AUTHORIZATION)).toBe('SERVING');
      expect(await codeOf(caller.health('other'))).toBe(status.NOT_FOUND);
    });

    test('says what it was told, and checks go on', async () => {
      const listener = await start();
      const caller = client(listener.address);
      listener.setServing(false);
      expect(await caller.health('')).toBe('NOT_SERVING');
      expect(await caller.health(AUTHORIZATION)).toBe('NOT_SERVING');
      expect(await codeOf(caller.check(CAPTURE))).toBe('answered');
      listener.setServing(true);
      expect(await caller.health('')).toBe('SERVING');
    });
  });

  describe('closing', () => {
    test('answers what is in flight, accepts nothing more, removes the socket file', async () => {
      const listener = await start({ handle: () => wait(200).then(() => ALLOW) });
      const caller = client(listener.address);
      const inFlight = caller.check(CAPTURE);
      await wait(80);
      const closed = listener.close(5_000);
      expect(existsSync(unix.path)).toBe(false);
      expect(await codeOf(client(unix).check(CAPTURE, { deadline: Date.now() + 1_000 }))).not.toBe('answered');
      expect((await inFlight).equals(ALLOW)).toBe(true);
      await closed;
    });

    test('ends what is still in flight after the grace', async () => {
      const listener = await start({ handle: () => new Promise<Buffer>(() => {}) });
      const outcome = codeOf(client(listener.address).check(CAPTURE));
      await wait(80);
      const before = Date.now();
      await listener.close(150);
      expect(Date.now() - before).toBeLessThan(1_500);
      expect(await outcome).not.toBe('answered');
    });

    test('without calls is quick though a client stays connected', async () => {
      const listener = await start({ address: TCP });
      await client(listener.address).check(CAPTURE);
      const before = Date.now();
      await listener.close(5_000);
      expect(Date.now() - before).toBeLessThan(1_000);
      expect(await codeOf(client(listener.address).check(CAPTURE, { deadline: Date.now() + 500 }))).not.toBe(
        'answered',
      );
    });

    test('frees the address for the next one', async () => {
      const first = await start({ address: TCP });
      await first.close(100);
      const second = await start({ address: first.address });
      expect(second.address).toEqual(first.address);
      expect(await codeOf(client(second.address).check(CAPTURE))).toBe('answered');
    });
  });

  describe('where to listen', () => {
    test('a Unix socket has the mode that was asked for', async () => {
      await start({ socketMode: 0o660 });
      expect(statSync(unix.path).mode & 0o777).toBe(0o660);
    });

    test('two listeners at once, each with its own health', async () => {
      const [tcp, path] = await Promise.all([start({ address: TCP }), start()]);
      tcp.setServing(false);
      expect(await client(tcp.address).health('')).toBe('NOT_SERVING');
      expect(await client(path.address).health('')).toBe('SERVING');
    });

    test('an address that cannot be had is one sentence', async () => {
      const { address } = await start({ address: TCP });
      await expect(start({ address })).rejects.toThrow(/^cannot listen on 127\.0\.0\.1:\d+: the address is in use$/);
    });

    test('the socket file of a listener that was killed is replaced', async () => {
      const script = `require('node:net').createServer().listen(process.argv[1], () => console.log('up'))`;
      const child = spawn(process.execPath, ['-e', script, unix.path], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      await expect(start()).rejects.toThrow('another process is listening there');
      child.kill('SIGKILL');
      await once(child, 'exit');
      await start();
      expect(await codeOf(client(unix).check(CAPTURE))).toBe('answered');
    });
  });
});

describe('reflection, on grpc-js', () => {
  const paths = ['v1', 'v1alpha'].map((version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`);

  test.each(paths)('names the service where it is switched on: %s', async (path) => {
    const { address } = await start({ reflection: true });
    expect((await client(address).call(path, LIST_SERVICES)).toString()).toContain(AUTHORIZATION);
  });

  test.each(paths)('is not there where it is off, on either: %s', async (path) => {
    for (const [name, each] of TRANSPORTS) {
      startListener = each;
      const { address } = await start({ address: { kind: 'unix', path: join(directory, name) } });
      expect(await codeOf(client(address).call(path, LIST_SERVICES))).toBe(status.UNIMPLEMENTED);
    }
  });

  test('is refused by lean, as TLS is', async () => {
    startListener = startLeanListener;
    await expect(start({ reflection: true })).rejects.toThrow('neither TLS nor reflection');
  });

  test.each(paths)('demands the secret of the listener: %s', async (path) => {
    const { address } = await start({ secret: () => 's3cret', reflection: true });
    expect(await codeOf(client(address).call(path, LIST_SERVICES))).toBe(status.UNAUTHENTICATED);
  });
});

describe('TLS, on grpc-js', async () => {
  const ca = await makeCa();
  const other = await makeCa({ name: 'Other CA' });
  const server = await ca.issue({ dns: ['localhost'] });
  const envoy = await ca.issue();
  const stranger = await other.issue();
  const pem = (text: string): Buffer => Buffer.from(text);
  const tls = { certificate: pem(server.chainPem), key: pem(server.keyPem) };
  const trusting = (as?: typeof envoy): ReturnType<typeof credentials.createSsl> =>
    as === undefined
      ? credentials.createSsl(pem(ca.certificate))
      : credentials.createSsl(pem(ca.certificate), pem(as.keyPem), pem(as.chainPem));
  const soon = (): { deadline: number } => ({ deadline: Date.now() + 2_000 });

  test('answers callers that trust the certificate, and no plaintext', async () => {
    const { address } = await start({ address: TCP, tls });
    expect(await codeOf(client(address, trusting()).check(CAPTURE))).toBe('answered');
    expect(await client(address, trusting()).health('')).toBe('SERVING');
    expect(await codeOf(client(address).check(CAPTURE, soon()))).toBe(status.UNAVAILABLE);
    const distrusting = credentials.createSsl(pem(other.certificate));
    expect(await codeOf(client(address, distrusting).check(CAPTURE, soon()))).toBe(status.UNAVAILABLE);
  });

  test('with a client CA answers only callers with a certificate of it', async () => {
    const { address } = await start({ address: TCP, tls: { ...tls, clientCA: pem(ca.certificate) } });
    expect(await codeOf(client(address, trusting(envoy)).check(CAPTURE))).toBe('answered');
    expect(await codeOf(client(address, trusting()).check(CAPTURE, soon()))).toBe(status.UNAVAILABLE);
    expect(await codeOf(client(address, trusting(stranger)).check(CAPTURE, soon()))).toBe(status.UNAVAILABLE);
  });

  test('closes at once though somebody connected and never said a word', async () => {
    const listener = await start({ address: TCP, tls });
    if (listener.address.kind !== 'tcp') throw new Error('expected a port');
    const silent = (await import('node:net')).connect(listener.address);
    await once(silent, 'connect');
    const before = Date.now();
    const gone = once(silent, 'close');
    await listener.close(5_000);
    await gone;
    expect(Date.now() - before).toBeLessThan(1_000);
  });

  test('with files that are none rejects with one sentence', async () => {
    const broken = { ...tls, key: pem('no key') };
    await expect(start({ address: TCP, tls: broken })).rejects.toThrow(/^the TLS certificate, key or client CA/);
    const mismatched = { ...tls, key: pem(envoy.keyPem) };
    await expect(start({ address: TCP, tls: mismatched })).rejects.toThrow(/^the TLS certificate, key or client CA/);
  });
});
