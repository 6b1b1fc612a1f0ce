import { statSync } from 'node:fs';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SERVER_AUTH } from '../helpers/pki.js';
import { decodeAnswer } from '../wire/answers.js';
import { configWith, freePort, listenWith, makeFolder } from './folder.js';
import type { Folder } from './folder.js';
import { get, startGuard } from './guard.js';
import type { Guard } from './guard.js';
import { CHANGED_FILE_COUNTS, until } from './until.js';

const SECRET = 'correct-horse';
const ADMIN = 'open-sesame';

let folder: Folder;
let guard: Guard;
let ports: { health: number; metrics: number };

beforeAll(async () => {
  folder = await makeFolder();
  const server = await folder.ca.issue({
    id: 'spiffe://prod.example/ns/shop/sa/orders',
    dns: ['localhost'],
    eku: [SERVER_AUTH],
  });
  folder.write('server.crt', server.chainPem);
  folder.write('server.key', server.keyPem);
  folder.write('secret', `${SECRET}\n`);
  folder.write('admin-token', `${ADMIN}\n`);
  ports = { health: await freePort(), metrics: await freePort() };
  const listen = listenWith({
    check: ['unix:first.sock', 'unix:second.sock', '127.0.0.1:0'],
    socketMode: '0600',
    tls: { certificate: 'server.crt', key: 'server.key', clientCA: 'prod.pem' },
    secretFile: 'secret',
    adminTokenFile: 'admin-token',
    health: `127.0.0.1:${ports.health}`,
    metrics: `127.0.0.1:${ports.metrics}`,
  });
  guard = await startGuard(folder, configWith({ listen }));
});
afterAll(async () => {
  await guard.stop();
  folder.remove();
});

const withSecret = (secret = SECRET): object => ({ metadata: { 'x-firsthand-secret': secret } });
/** Only the TCP listener speaks TLS. */
const mutual = (): ReturnType<typeof credentials.createSsl> =>
  credentials.createSsl(
    Buffer.from(folder.ca.certificate),
    Buffer.from(folder.frontend.keyPem),
    Buffer.from(folder.frontend.pem),
  );

describe('several listeners at once', () => {
  test('Unix sockets and TCP with TLS, a client CA and a secret give the same answer', async () => {
    const bytes = await folder.call();
    for (const client of [guard.client(0), guard.client(1), guard.client(2, mutual())]) {
      const { metadata, code } = decodeAnswer(await client.check(bytes, withSecret()));
      expect(metadata).toMatchObject({ decision: 'allow', reason: 'allowed', origin: folder.frontend.id });
      expect(code ?? 0).toBe(0);
    }
  });

  test('without a client certificate there is no connection', async () => {
    const stranger = guard.client(2, credentials.createSsl(Buffer.from(folder.ca.certificate)));
    await expect(stranger.check(await folder.call(), withSecret())).rejects.toMatchObject({ code: 14 });
  });

  test('without the secret, or with another one, there is no verdict', async () => {
    const client = guard.client(2, mutual());
    const bytes = await folder.call();
    await expect(client.check(bytes)).rejects.toMatchObject({ code: 16 });
    await expect(client.check(bytes, withSecret('correct'))).rejects.toMatchObject({ code: 16 });
  });

  test('the socket files have the configured mode', () => {
    for (const name of ['first.sock', 'second.sock', 'admin.sock'])
      expect(statSync(folder.file(name)).mode & 0o777).toBe(0o600);
  });

  test('a changed secret counts', async () => {
    const client = guard.client(0);
    const bytes = await folder.call();
    folder.replace('secret', 'battery-staple\n');
    await until(
      () =>
        client.check(bytes, withSecret('battery-staple')).then(
          () => true,
          () => false,
        ),
      CHANGED_FILE_COUNTS,
    );
    await expect(client.check(bytes, withSecret())).rejects.toMatchObject({ code: 16 });
    folder.replace('secret', '\n');
    await until(async () => (await guard.page('/readyz')).body.includes('expected one line'), CHANGED_FILE_COUNTS);
    await client.check(bytes, withSecret('battery-staple'));
    folder.replace('secret', `${SECRET}\n`);
    await until(
      () =>
        client.check(bytes, withSecret()).then(
          () => true,
          () => false,
        ),
      CHANGED_FILE_COUNTS,
    );
    expect((await guard.page('/readyz')).body).not.toContain('expected one line');
  });
});

describe('plain HTTP', () => {
  test.each(['/healthz', '/readyz', '/metrics'])('the admin listener answers %s without a token', async (path) => {
    expect((await guard.page(path)).status).toBe(200);
  });

  test('the admin API needs the token', async () => {
    expect((await guard.page('/api/policy')).status).toBe(401);
    expect((await guard.page('/api/policy', { authorization: 'Bearer wrong' })).status).toBe(401);
    const { status, body } = await guard.page('/api/policy', { authorization: `Bearer ${ADMIN}` });
    expect(status).toBe(200);
    expect(body).toContain('/orders/{id}');
  });

  test('the health listener answers health and nothing else', async () => {
    const at = { kind: 'tcp', host: '127.0.0.1', port: ports.health } as const;
    const statuses = await Promise.all(
      ['/healthz', '/readyz', '/metrics', '/', '/api/policy'].map(async (path) => (await get(at, path)).status),
    );
    expect(statuses).toEqual([200, 200, 404, 404, 404]);
  });

  test('the metrics listener answers metrics and nothing else', async () => {
    const at = { kind: 'tcp', host: '127.0.0.1', port: ports.metrics } as const;
    const statuses = await Promise.all(
      ['/metrics', '/healthz', '/', '/api/policy'].map(async (path) => (await get(at, path)).status),
    );
    expect(statuses).toEqual([200, 404, 404, 404]);
    const { body } = await get(at, '/metrics');
    expect(body).toMatch(/^firsthand_checks_total\{decision="allow",reason="allowed"\} [1-9]/m);
    expect(body).toMatch(/^firsthand_build_info\{.*\} 1$/m);
  });
});

describe('TCP without TLS', () => {
  test('plaintext answers, and a warning says so', async () => {
    const listen = listenWith({ check: ['unix:plain.sock', '127.0.0.1:0'], admin: 'off', plaintext: true });
    const plain = await startGuard(folder, configWith({ listen, audit: { to: 'file:plain.ndjson' } }));
    const bytes = await folder.call();
    const answers = [await plain.client(0).check(bytes), await plain.client(1).check(bytes)].map(decodeAnswer);
    expect(answers.map(({ metadata }) => metadata['reason'])).toEqual(['allowed', 'allowed']);
    expect(plain.stderr()).toContain('listen.plaintext');
    expect((await plain.stop()).code).toBe(0);
  });
});
