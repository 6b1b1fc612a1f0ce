/** A running guard whose keys and bundle are at an https server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serve, startHttpsSource } from '../helpers/https-source.js';
import type { HttpsSource } from '../helpers/https-source.js';
import { makeCa } from '../helpers/pki.js';
import type { TestCa } from '../helpers/pki.js';
import { makeIssuer } from '../helpers/tokens.js';
import { configWith, listenWith, makeFolder, tokensWith } from './folder.js';
import type { Folder } from './folder.js';
import { refusedStart, startGuard } from './guard.js';
import type { Guard } from './guard.js';
import { CHANGED_FILE_COUNTS, until } from './until.js';

let web: TestCa;
beforeAll(async () => (web = await makeCa({ name: 'Web CA', uris: [] })));

interface Scene {
  readonly folder: Folder;
  readonly server: HttpsSource;
  /** `path` of the server as the issuer's keys, checked with its CA. */
  remoteKeys(path: string, changes?: object): object;
  start(changes: Readonly<Record<string, unknown>>): Promise<Guard>;
}

const scenes: (() => Promise<void>)[] = [];
afterAll(async () => void (await Promise.all(scenes.map((end) => end()))));

async function sceneOf(): Promise<Scene> {
  const folder = await makeFolder();
  const server = await startHttpsSource(serve(JSON.stringify(folder.issuer.jwks), EACH_SECOND), web);
  folder.write('web.pem', web.certificate);
  const guards: Guard[] = [];
  scenes.push(async () => {
    for (const guard of guards) expect((await guard.stop()).code).toBe(0);
    await server.close();
    folder.remove();
  });
  return {
    folder,
    server,
    remoteKeys: (path, changes = {}) => tokensWith({ keys: server.origin + path, keysCA: 'web.pem', ...changes }),
    async start(changes) {
      const guard = await startGuard(folder, configWith(changes));
      guards.push(guard);
      return guard;
    },
  };
}

const EACH_SECOND = { 'cache-control': 'max-age=1' };
const readiness = async (guard: Guard): Promise<{ status: number; problems: Record<string, string> }> => {
  const { status, body } = await guard.page('/readyz');
  return { status, problems: (JSON.parse(body) as { problems: Record<string, string> }).problems };
};
const turns = (guard: Guard, call: Buffer, reason: string, ms = CHANGED_FILE_COUNTS): Promise<void> =>
  until(async () => (await guard.reasonFor(call)) === reason, ms);

describe.concurrent('a guard with keys at an https URL', () => {
  test('waits for them, not ready, takes them when they come, and goes on while the source is down', async () => {
    const { folder, server, remoteKeys, start } = await sceneOf();
    await server.down();
    const guard = await start({ tokens: [remoteKeys('/keys', { maxStale: '3s' })] });
    const call = await folder.call();
    expect(await guard.reasonFor(call)).toBe('keys_unavailable');
    await until(
      async () => (await readiness(guard)).problems['keys https://idp.prod.example']?.includes('ECONNREFUSED') === true,
      5000,
    );
    expect((await readiness(guard)).status).toBe(503);
    expect((await guard.page('/readyz')).body).toContain('"keys_age_seconds":{"https://idp.prod.example":null}');
    await server.up();
    await turns(guard, call, 'allowed');
    expect(await readiness(guard)).toEqual({ status: 200, problems: {} });
    expect((await guard.page('/readyz')).body).toMatch(/"keys_age_seconds":\{"https:\/\/idp.prod.example":[0-3]\}/);
    expect((await guard.page('/metrics')).body).toMatch(
      /^firsthand_keys_age_seconds\{issuer="https:\/\/idp.prod.example"\} [0-3]/m,
    );

    await server.down();
    await until(async () => Object.keys((await readiness(guard)).problems).length === 1, 5000);
    expect((await readiness(guard)).status).toBe(200);
    expect(await guard.reasonFor(call)).toBe('allowed');
    // No answer for longer than maxStale.
    await turns(guard, call, 'keys_unavailable', 8000);
    expect((await readiness(guard)).status).toBe(503);
    await server.up();
    await turns(guard, call, 'allowed', 10_000);
    const refusals = folder.audit().filter(({ event }) => event === 'keys_refused');
    expect(refusals).toHaveLength(2);
    expect(refusals[1]).toMatchObject({ issuer: 'https://idp.prod.example', source: `${server.origin}/keys` });
    expect(refusals[1]?.['detail']).toMatch(/ECONNREFUSED/);
    const changes = folder.audit().filter(({ event }) => event === 'keys_changed');
    expect(changes.map(({ added, removed }) => ({ added, removed }))).toEqual([
      { added: ['key-1'], removed: [] },
      { added: [], removed: ['key-1'] },
      { added: ['key-1'], removed: [] },
    ]);
  });

  test('refuses a removed key with its cached decisions, and takes a new one', async () => {
    const { folder, server, remoteKeys, start } = await sceneOf();
    const guard = await start({ tokens: [remoteKeys('/keys')] });
    const call = await folder.call();
    await turns(guard, call, 'allowed');
    expect((await guard.ask(call)).metadata['cache']).toBe('hit');
    const next = await makeIssuer({ kid: 'key-2' });
    const signed = await folder.call({ token: await next.sign({ scope: 'orders.read' }) });
    expect(await guard.reasonFor(signed)).toBe('token_key_unknown');
    server.respond(serve(JSON.stringify(next.jwks), EACH_SECOND));
    await turns(guard, call, 'token_key_unknown');
    expect(await guard.reasonFor(signed)).toBe('allowed');
  });

  test('keeps what it fetched over a reload, and does not go over to a URL that does not answer', async () => {
    const { folder, server, remoteKeys, start } = await sceneOf();
    const guard = await start({ tokens: [remoteKeys('/keys')] });
    const call = await folder.call();
    await turns(guard, call, 'allowed');
    await server.down();
    const change = (tokens: object, maxHops: number): void =>
      folder.replace(guard.config.slice(folder.path.length + 1), configWith({ tokens: [tokens], origin: { maxHops } }));
    change(remoteKeys('/keys'), 4);
    guard.signal('SIGHUP');
    await until(() => guard.stderr().includes('"msg":"reloaded"'), CHANGED_FILE_COUNTS);
    expect(await guard.reasonFor(call)).toBe('allowed');
    change(remoteKeys('/elsewhere'), 3);
    guard.signal('SIGHUP');
    await until(() => guard.stderr().includes('the configuration is not usable'), CHANGED_FILE_COUNTS);
    expect(guard.stderr()).toContain('/elsewhere: it can not be fetched');
    expect(await guard.reasonFor(call)).toBe('allowed');
    change(remoteKeys('/keys', { keysCA: 'none.pem' }), 2);
    guard.signal('SIGHUP');
    await until(() => guard.stderr().includes('none.pem: the file does not exist'), CHANGED_FILE_COUNTS);
    await server.up();
    change(remoteKeys('/elsewhere'), 3);
    guard.signal('SIGHUP');
    await until(() => guard.stderr().split('"msg":"reloaded"').length === 3, CHANGED_FILE_COUNTS);
    expect(server.asked.map(({ path }) => path)).toContain('/elsewhere');
    expect(await guard.reasonFor(call)).toBe('allowed');
  });

  test('finds them by discovery, and shares them between issuers of the same URL', async () => {
    const { folder, server, remoteKeys, start } = await sceneOf();
    const keys = serve(JSON.stringify(folder.issuer.jwks), EACH_SECOND);
    const discovery = serve(JSON.stringify({ issuer: server.origin, jwks_uri: `${server.origin}/keys` }));
    server.respond((request, response) =>
      (request.url === '/.well-known/openid-configuration' ? discovery : keys)(request, response),
    );
    const found = remoteKeys('', { issuer: server.origin, keys: 'oidc', grants: ['orders.*'] });
    const named = remoteKeys('/keys', { grants: ['orders.*'] });
    const guard = await start({ tokens: [found, named, { ...named, issuer: 'https://second.example' }] });
    for (const iss of [server.origin, 'https://idp.prod.example', 'https://second.example'])
      await turns(guard, await folder.call({ token: await folder.token({ iss }) }), 'allowed');
    const { body } = await guard.page('/metrics');
    expect(body.match(/^firsthand_keys_age_seconds\{/gm)).toHaveLength(3);
    const stranger = await folder.call({ token: await folder.token({ iss: 'https://third.example' }) });
    expect(await guard.reasonFor(stranger)).toBe('token_issuer_unknown');
  });
});

test('a bundle at an https URL: the old root is refused when it is gone', async () => {
  const { folder, server, start } = await sceneOf();
  server.respond(serve(folder.ca.certificate, EACH_SECOND));
  const guard = await start({ trust: { 'prod.example': { bundle: `${server.origin}/bundle`, bundleCA: 'web.pem' } } });
  const call = await folder.call();
  await turns(guard, call, 'allowed');
  const next = await makeCa({ name: 'Next Root CA' });
  const moved = await folder.call({ peer: await next.issue() });
  expect(await guard.reasonFor(moved)).toBe('peer_untrusted');
  server.respond(serve(next.certificate + folder.ca.certificate, EACH_SECOND));
  await turns(guard, moved, 'allowed');
  expect(await guard.reasonFor(call)).toBe('allowed');
  server.respond(serve(next.certificate, EACH_SECOND));
  await turns(guard, call, 'peer_untrusted');
  expect(await guard.reasonFor(moved)).toBe('allowed');
});

test('a missing CA file ends the start; the same source without one is waited for', async () => {
  const { folder, remoteKeys, start } = await sceneOf();
  const ended = await refusedStart(folder, configWith({ tokens: [remoteKeys('/keys', { keysCA: 'none.pem' })] }));
  expect(ended).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('none.pem: the file does not exist') as string,
  });
  const listen = listenWith({ check: ['unix:other.sock'], admin: 'off' });
  const guard = await start({ listen, tokens: [remoteKeys('/keys', { keysCA: null })] });
  expect(await guard.reasonFor(await folder.call())).toBe('keys_unavailable');
});
