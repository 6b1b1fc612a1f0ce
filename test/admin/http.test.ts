import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { NetConnectOpts, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startHttpListener } from '../../src/admin/http.js';
import type { HttpListener, HttpListenerOptions, Readiness } from '../../src/admin/http.js';

const open: HttpListener[] = [];
const folders: string[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close()));
  folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true }));
});

const LOCAL = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
let logged: string[] = [];

async function start(more: Partial<HttpListenerOptions> = {}): Promise<HttpListener> {
  logged = [];
  const listener = await startHttpListener({
    address: LOCAL,
    kind: 'admin',
    token: () => 's3cret',
    readiness: () => ({ ready: true, detail: { stale: [] } }),
    metrics: () => Promise.resolve('firsthand_pins 1\n'),
    policy: () => ({ lines: [{ number: 1 }] }),
    revoke: (body) => Promise.resolve({ status: 200, body: { body } }),
    socketMode: 0o660,
    log: { error: (message, facts) => logged.push(`${message} ${JSON.stringify(facts)}`) },
    ...more,
  });
  open.push(listener);
  return listener;
}

const target = ({ address }: HttpListener): NetConnectOpts =>
  address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };

/** Raw bytes out, raw text in: nothing in between that could repair a request. */
function send(listener: HttpListener, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = '';
    const socket: Socket = connect(target(listener), () => socket.write(bytes));
    socket.on('data', (data) => (got += data.toString()));
    socket.on('close', () => resolve(got));
    socket.on('error', (error) => (got === '' ? reject(error) : resolve(got)));
  });
}

interface Got {
  readonly status: number;
  readonly headers: Map<string, string>;
  readonly body: string;
}

async function ask(listener: HttpListener, path: string, headers: string[] = [], method = 'GET'): Promise<Got> {
  const host = headers.some((line) => /^host:/i.test(line)) ? [] : ['Host: 127.0.0.1'];
  const lines = [`${method} ${path} HTTP/1.1`, ...host, 'Connection: close', ...headers];
  return parse(await send(listener, `${lines.join('\r\n')}\r\n\r\n`));
}

function parse(text: string): Got {
  const end = text.indexOf('\r\n\r\n');
  const [status = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = lines.map((line): [string, string] => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    line.slice(line.indexOf(':') + 1).trim(),
  ]);
  return { status: Number(status.split(' ')[1]), headers: new Map(headers), body: text.slice(end + 4) };
}

const TOKEN = 'Authorization: Bearer s3cret';
const status = async (...asked: Parameters<typeof ask>): Promise<number> => (await ask(...asked)).status;

describe('health', () => {
  it('says that it lives, in text', async () => {
    const got = await ask(await start(), '/healthz');
    expect([got.status, got.body, got.headers.get('content-type')]).toEqual([200, 'ok\n', 'text/plain; charset=utf-8']);
  });

  it('says whether it is ready, and what is stale, as it is at that moment', async () => {
    let readiness: Readiness = { ready: false, detail: { stale: ['policy'] } };
    const listener = await start({ readiness: () => readiness });
    const before = await ask(listener, '/readyz');
    expect([before.status, JSON.parse(before.body)]).toEqual([503, { ready: false, stale: ['policy'] }]);
    readiness = { ready: true, detail: { stale: [] } };
    const after = await ask(listener, '/readyz');
    expect([after.status, JSON.parse(after.body)]).toEqual([200, { ready: true, stale: [] }]);
  });

  it('answers probes with a query, and HEAD without a body', async () => {
    const listener = await start();
    expect(await status(listener, '/healthz?verbose')).toBe(200);
    const head = await ask(listener, '/readyz', [], 'HEAD');
    expect([head.status, head.body, Number(head.headers.get('content-length')) > 0]).toEqual([200, '', true]);
  });
});

describe('metrics', () => {
  it('are served in the text format', async () => {
    const got = await ask(await start(), '/metrics');
    expect([got.status, got.body]).toEqual([200, 'firsthand_pins 1\n']);
    expect(got.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('that fail are a 500 that gives nothing away, and a line in the log', async () => {
    const listener = await start({ metrics: () => Promise.reject(new Error('private words')) });
    const got = await ask(listener, '/metrics');
    expect(got.status).toBe(500);
    expect(got.body).not.toContain('private');
    expect(logged.join()).toContain('private words');
    expect(await status(listener, '/healthz')).toBe(200);
  });
});

describe('each listener', () => {
  it.each([
    ['health', '/healthz', 200],
    ['health', '/readyz', 200],
    ['health', '/metrics', 404],
    ['health', '/api/policy', 404],
    ['metrics', '/metrics', 200],
    ['metrics', '/healthz', 404],
    ['metrics', '/readyz', 404],
    ['metrics', '/api/policy', 404],
  ] as const)('%s answers %s with %d, also with the admin token', async (kind, path, expected) => {
    expect(await status(await start({ kind }), path, [TOKEN])).toBe(expected);
  });

  it.each(['health', 'metrics'] as const)('%s can be asked by a service name', async (kind) => {
    const path = kind === 'health' ? '/healthz' : '/metrics';
    expect(await status(await start({ kind }), path, ['Host: orders.shop.svc:9090'])).toBe(200);
  });

  it('sets headers against caching and sniffing on every answer', async () => {
    const listener = await start();
    for (const path of ['/healthz', '/nothing', '/api/policy']) {
      const { headers } = await ask(listener, path);
      expect([headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual(['no-store', 'nosniff']);
    }
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('refuses %s', async (method) => {
    const listener = await start();
    const got = await ask(listener, '/healthz', [], method);
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(await status(listener, '/api/policy', [TOKEN], method)).toBe(405);
  });
});

describe('the admin API', () => {
  it('shows the policy to who holds the token', async () => {
    const got = await ask(await start(), '/api/policy', [TOKEN]);
    expect([got.status, JSON.parse(got.body)]).toEqual([200, { lines: [{ number: 1 }] }]);
  });

  it.each([
    ['no token', []],
    ['a wrong token', ['Authorization: Bearer s3creT']],
    ['another scheme', ['Authorization: Basic s3cret']],
    ['the token twice', [TOKEN, TOKEN]],
    ['the token in the query', []],
  ])('asks for the token when there is %s, for every path', async (_, headers) => {
    const listener = await start();
    for (const path of ['/api/policy', '/api/policy?access_token=s3cret', '/', '/nothing']) {
      const got = await ask(listener, path, headers);
      expect([got.status, got.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="firsthand"']);
      expect(got.body).not.toContain('lines');
    }
  });

  it('is not there without an admin token file', async () => {
    const listener = await start({ token: () => undefined });
    for (const path of ['/api/policy', '/', '/nothing']) expect(await status(listener, path, [TOKEN])).toBe(404);
    for (const path of ['/healthz', '/readyz', '/metrics']) expect(await status(listener, path)).toBe(200);
  });

  it('is closed while the token file is empty', async () => {
    const listener = await start({ token: () => '' });
    for (const value of ['Bearer ', 'Bearer', 'Bearer s3cret'])
      expect(await status(listener, '/api/policy', [`Authorization: ${value}`])).toBe(401);
  });

  it('knows no other path', async () => {
    const listener = await start();
    for (const path of [
      '/nothing',
      '/api/policy/',
      '/api/../api/policy',
      '//api/policy',
      'http://127.0.0.1/api/policy',
    ])
      expect(await status(listener, path, [TOKEN])).toBe(404);
  });
});

describe('a name that a page in a browser made point to us', () => {
  it.each(['evil.example', 'evil.example:9192', 'localhost.evil.example', ''])(
    'is refused everywhere: %s',
    async (host) => {
      const listener = await start();
      for (const path of ['/healthz', '/readyz', '/metrics', '/api/policy', '/']) {
        const got = await ask(listener, path, [TOKEN, `Host: ${host}`]);
        expect(got.status).toBe(403);
        expect(JSON.parse(got.body)).toHaveProperty('error');
      }
    },
  );

  it('is refused also as a second Host line', async () => {
    const listener = await start();
    expect(await status(listener, '/healthz', ['Host: 127.0.0.1', 'Host: evil.example'])).toBe(403);
  });

  it('can not come from a Unix socket: there any Host is fine', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'admin-'));
    folders.push(folder);
    const path = join(folder, 'admin.sock');
    const listener = await start({ address: { kind: 'unix', path }, socketMode: 0o600 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await status(listener, '/api/policy', [TOKEN, 'Host: anything'])).toBe(200);
    expect(await status(listener, '/api/policy', ['Host: anything'])).toBe(401);
  });
});

describe('bounds', () => {
  it('reads no body, and takes none for another request', async () => {
    const listener = await start();
    const inner = 'GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
    const request = `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`;
    const got = await send(listener, request);
    expect(parse(got).status).toBe(413);
    expect(got.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  it('does not invite a body', async () => {
    const got = await send(
      await start(),
      'POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
    );
    expect(parse(got).status).toBe(405);
    expect(got).not.toContain('100 Continue');
  });

  it('refuses headers beyond 8 KiB', async () => {
    const got = await ask(await start(), '/healthz', [`X-Long: ${'x'.repeat(9_000)}`]);
    expect(got.status).toBe(431);
  });

  it('refuses what is no HTTP', async () => {
    expect(parse(await send(await start(), 'hello\r\n\r\n')).status).toBe(400);
  });

  it.each([
    ['says nothing', ''],
    ['never ends its headers', 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: 1\r\n'],
    ['asks for nothing more', 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'],
  ])('ends a connection that %s', async (_, bytes) => {
    const listener = await start();
    const started = performance.now();
    await send(listener, bytes);
    expect(performance.now() - started).toBeLessThan(11_000);
  });

  it('holds 64 connections and turns more away', async () => {
    const listener = await start();
    const sockets = Array.from({ length: 64 }, () => connect(target(listener)));
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await send(listener, 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n').catch(() => '')).toBe('');
    sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await status(listener, '/healthz')).toBe(200);
  });
});

describe('listening', () => {
  it('says which port it got, and frees it at the end, whoever is still connected', async () => {
    const listener = await start();
    const { address } = listener;
    expect(address).toMatchObject({ kind: 'tcp', host: '127.0.0.1' });
    expect(address.kind === 'tcp' && address.port > 0).toBe(true);
    const idle = connect(target(listener));
    await new Promise((resolve) => idle.once('connect', resolve));
    const started = performance.now();
    await listener.close();
    expect(performance.now() - started).toBeLessThan(2_000);
    await start({ address });
  });

  it('fails where the port is taken', async () => {
    const { address } = await start();
    await expect(start({ address })).rejects.toThrow('the address is in use');
  });

  it('fails where the path belongs to something else or to a living listener', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'admin-'));
    folders.push(folder);
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(start({ address: { kind: 'unix', path: file } })).rejects.toThrow('not a socket');
    const address = { kind: 'unix', path: join(folder, 'a.sock') } as const;
    await start({ address });
    await expect(start({ address })).rejects.toThrow('another process is listening');
  });
});
