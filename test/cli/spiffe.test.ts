/** A guard process whose trust comes from a Workload API on a real socket. */
import { rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { status } from '@grpc/grpc-js';
import { serve, startHttpsSource } from '../helpers/https-source.js';
import { makeCa } from '../helpers/pki.js';
import type { TestCa } from '../helpers/pki.js';
import { makeIssuer } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';
import { startWorkloadApi } from '../helpers/workload-api.js';
import { configWith, makeFolder } from './folder.js';
import type { Folder } from './folder.js';
import { refusedStart, run } from './guard.js';
import { FRONTEND, PARTNER, PROD, sceneWith, SOON } from './spiffe-scene.js';
import { until } from './until.js';

describe.concurrent('a guard on the Workload API', () => {
  test('waits for the socket, not ready, and says what it lacks', async () => {
    const { guard, agent, call, turns, readiness, folder, authority, end } = await sceneWith();
    const ask = await call();
    expect(await guard.reasonFor(ask)).toBe('bundle_unavailable');
    const { status: unready, problems } = await readiness();
    expect(unready).toBe(503);
    expect(problems['trust prod.example']).toContain('agent.sock');

    const api = await agent();
    api.x509({ [PROD]: [folder.ca] });
    await turns(ask, 'keys_unavailable');
    expect((await readiness()).status).toBe(503);
    api.jwt({ [PROD]: [authority] });
    await turns(ask, 'allowed');
    await until(async () => (await readiness()).status === 200, SOON);
    await end();
  });

  test('follows roots and authorities: both while both are there, the old one not a moment longer', async () => {
    const { guard, agent, call, turns, folder, authority, end } = await sceneWith();
    const api = await agent();
    api.x509({ [PROD]: [folder.ca] });
    api.jwt({ [PROD]: [authority] });
    const [nextCa, nextAuthority] = [await makeCa({ name: 'Next' }), await makeIssuer({ kid: 'authority-2' })];
    const [old, newCa, newKey] = [await call(), await call(nextCa), await call(folder.ca, nextAuthority)];
    await turns(old, 'allowed');
    expect(await guard.reasonFor(newCa)).toBe('peer_untrusted');
    expect(await guard.reasonFor(newKey)).toBe('token_key_unknown');

    api.x509({ [PROD]: [folder.ca, nextCa] });
    api.jwt({ [PROD]: [authority, nextAuthority] });
    await turns(newCa, 'allowed');
    await turns(newKey, 'allowed');
    expect(await guard.reasonFor(old)).toBe('allowed');

    api.jwt({ [PROD]: [nextAuthority] });
    await turns(old, 'token_key_unknown');
    expect(await guard.reasonFor(newKey)).toBe('allowed');
    api.x509({ [PROD]: [nextCa] });
    await turns(newKey, 'peer_untrusted');
    expect(await guard.reasonFor(await call(nextCa, nextAuthority))).toBe('allowed');
    const changes = folder.audit().filter(({ event }) => event === 'bundle_changed' || event === 'keys_changed');
    expect(changes.filter(({ trust_domain }) => trust_domain === PROD)).toHaveLength(3);
    expect(changes.filter(({ event }) => event === 'keys_changed').at(-1)).toMatchObject({ removed: ['authority-1'] });
    await end();
  });

  test('trusts nothing of a federated domain that is withdrawn, stays ready, and takes it back', async () => {
    const { guard, agent, call, turns, readiness, folder, partner, authority, end } = await sceneWith();
    const api = await agent();
    const both = { [PROD]: [folder.ca], [PARTNER]: [partner] };
    api.x509(both);
    api.jwt({ [PROD]: [authority] });
    const [own, theirs] = [await call(), await call(partner, authority)];
    await turns(own, 'allowed');
    // The SVID names the frontend of prod.example: the peer is verified, and may not present it.
    expect(await guard.reasonFor(theirs)).toBe('binding_mismatch');
    api.x509({ [PROD]: [folder.ca] });
    await turns(theirs, 'peer_untrusted');
    expect(await guard.reasonFor(own)).toBe('allowed');
    const { status: ready, problems } = await readiness();
    expect(ready).toBe(200);
    expect(problems['trust partner.example']).toContain('no bundle of partner.example');
    api.x509(both);
    await turns(theirs, 'binding_mismatch');
    await end();
  });

  test('goes on over a restart of the agent and a broken answer, and follows what comes after', async () => {
    const { guard, agent, call, turns, readiness, folder, authority, end } = await sceneWith();
    const api = await agent();
    api.x509({ [PROD]: [folder.ca] });
    api.jwt({ [PROD]: [authority] });
    const ask = await call();
    await turns(ask, 'allowed');
    api.say('FetchX509Bundles', { kind: 'bytes', bytes: Buffer.from('broken') });
    await until(async () => (await readiness()).problems['trust prod.example']?.includes('no message') === true, SOON);
    expect(await guard.reasonFor(ask)).toBe('allowed');
    await api.stop();
    await until(async () => 'keys https://spire.prod.example' in (await readiness()).problems, SOON);
    expect((await readiness()).status).toBe(200);
    expect(await guard.reasonFor(ask)).toBe('allowed');
    const again = await agent();
    again.x509({ [PROD]: [await makeCa({ name: 'Next' })] });
    again.jwt({ [PROD]: [authority] });
    await turns(ask, 'peer_untrusted');
    await end();
  });

  test('forgets what it had when the agent denies it', async () => {
    const { agent, call, turns, readiness, folder, authority, end } = await sceneWith();
    const api = await agent();
    api.x509({ [PROD]: [folder.ca] });
    api.jwt({ [PROD]: [authority] });
    const ask = await call();
    await turns(ask, 'allowed');
    api.say('FetchJWTBundles', { kind: 'end', code: status.PERMISSION_DENIED });
    await turns(ask, 'keys_unavailable');
    expect((await readiness()).status).toBe(503);
    api.say('FetchX509Bundles', { kind: 'end', code: status.PERMISSION_DENIED });
    await turns(ask, 'bundle_unavailable');
    await end();
  });

  test('takes a SPIFFE bundle from a file too, with both of its halves', async () => {
    const { folder, guard, authority, call, turns, end } = await sceneWith(
      { trust: { [PROD]: { bundle: 'bundle.json' } } },
      ({ ca, write }, issuer) => write('bundle.json', bundleJson([ca], [issuer])),
    );
    expect(await guard.reasonFor(await call())).toBe('allowed');
    folder.replace('bundle.json', bundleJson([folder.ca], []));
    await turns(await call(), 'token_key_unknown');
    folder.replace('bundle.json', bundleJson([], [authority]));
    await turns(await call(), 'peer_untrusted');
    await end();
  });
});

describe('a guard on a bundle endpoint that shows an SVID', () => {
  test('takes both halves of what it gives, never an older one, and nothing from another server', async () => {
    const id = 'spiffe://prod.example/bundle/endpoint';
    const endpoint = await startHttpsSource((_request, response) => response.destroy());
    const trust = {
      [PROD]: {
        bundle: `https://127.0.0.1:${endpoint.port}/`,
        endpointSpiffeId: id,
        bootstrap: 'prod.pem',
      },
    };
    const { folder, guard, authority, call, turns, readiness, end } = await sceneWith({ trust });
    const ask = await call();
    const gives = (sequence: number, cas: readonly TestCa[], issuers: readonly TestIssuer[]): void => {
      endpoint.respond(serve(bundleJson(cas, issuers, sequence)));
      guard.signal('SIGHUP');
    };
    expect(await guard.reasonFor(ask)).toBe('bundle_unavailable');
    gives(7, [folder.ca], [authority]);
    const told = async (): Promise<string> => (await readiness()).problems['trust prod.example'] ?? '';
    await until(async () => (await told()).includes('its certificate:'), SOON);
    expect(await guard.reasonFor(ask)).toBe('bundle_unavailable');

    endpoint.show(await folder.ca.issue({ id }));
    gives(7, [folder.ca], [authority]);
    await turns(ask, 'allowed');
    gives(8, [folder.ca], []);
    await turns(ask, 'token_key_unknown');
    gives(7, [folder.ca], [authority]);
    await until(async () => (await told()).includes('went back from 8 to 7'), SOON);
    expect(await guard.reasonFor(ask)).toBe('token_key_unknown');
    gives(9, [], []);
    await turns(ask, 'peer_untrusted');
    await end();
    await endpoint.close();
  });
});

const bundleJson = (cas: readonly TestCa[], issuers: readonly TestIssuer[], sequence = 0): string =>
  JSON.stringify({
    spiffe_sequence: sequence,
    keys: [
      ...cas.map(({ der }) => ({ kty: 'EC', use: 'x509-svid', x5c: [Buffer.from(der).toString('base64')] })),
      ...issuers.map(({ jwk }) => ({ ...jwk, use: 'jwt-svid' })),
    ],
  });

describe.concurrent('our own SVID', () => {
  const events = (folder: Folder, event: string): unknown[] =>
    folder.audit().filter((line) => line.event === event && typeof line['source'] === 'string');

  test('from the Workload API is told of when it comes and when it is rotated, and its end is a number', async () => {
    const socket = (await makeFolder()).file('own.sock');
    const api = await startWorkloadApi(`unix:${socket}`);
    const { folder, guard, readiness, end } = await sceneWith({
      trust: { [PROD]: { bundle: 'prod.pem' } },
      tokens: [],
      identity: { workloadApi: `unix:${socket}` },
    });
    expect((await readiness()).problems['identity']).toContain('has not answered yet');
    const [one, two] = [await folder.ca.issue(), await folder.ca.issue({ notBefore: new Date(), id: FRONTEND })];
    api.svid(one, folder.ca);
    await until(() => events(folder, 'certificate_seen').length === 1, SOON);
    api.svid(two, folder.ca);
    await until(() => events(folder, 'certificate_rotated').length === 1, SOON);
    expect(events(folder, 'certificate_rotated')[0]).toMatchObject({ identity: FRONTEND, certificate: two.sha256 });
    const { body } = await guard.page('/metrics');
    const line = /firsthand_certificate_expiry_seconds\{identity="([^"]+)"\} (\d+)/.exec(body);
    expect(line?.[1]).toBe(FRONTEND);
    expect(Number(line?.[2])).toBeGreaterThan(3000);
    expect((await readiness()).problems).toEqual({});
    await end();
    await api.stop();
    rmSync(dirname(socket), { recursive: true });
  });

  test('from files stops the start where they are no pair, and a bad one later does not', async () => {
    const changes = { trust: { [PROD]: { bundle: 'prod.pem' } }, tokens: [], identity: { certificate: 'a', key: 'b' } };
    const { folder, guard, readiness, end } = await sceneWith(changes, ({ frontend, write }) => {
      write('a', frontend.pem);
      write('b', frontend.keyPem);
    });
    await until(() => events(folder, 'certificate_seen').length === 1, SOON);
    folder.replace('b', (await folder.ca.issue()).keyPem);
    await until(async () => (await readiness()).problems['identity']?.includes('not the one') === true, SOON);
    expect((await readiness()).status).toBe(200);
    const ended = await refusedStart(folder, configWith(changes));
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('not the one of its certificate')]);
    expect((await guard.page('/healthz')).status).toBe(200);
    await end();
  });
});

test('explain asks the Workload API once, and says what it had from there', async () => {
  const { folder, agent, authority, call, end } = await sceneWith();
  const api = await agent();
  api.x509({ [PROD]: [folder.ca] });
  api.say('FetchJWTBundles', { kind: 'end', code: status.UNIMPLEMENTED });
  writeFileSync(folder.file('call.bin'), await call());
  const explain = async () => {
    const env = { SPIFFE_ENDPOINT_SOCKET: `unix:${folder.file('agent.sock')}` };
    const config = folder.file('firsthand-1.yaml');
    return (await run(['explain', '--config', config, folder.file('call.bin')], env)).stdout.replace(/\s+/g, ' ');
  };
  const denied = await explain();
  expect(denied).toContain('DENY keys_unavailable');
  expect(denied).toContain(
    'the operator must make the keys of https://spire.prod.example readable in spiffe:prod.example',
  );
  expect(denied).toContain('UNIMPLEMENTED');
  api.jwt({ [PROD]: [authority] });
  const allowed = await explain();
  expect(allowed).toContain('ALLOW allowed');
  expect(allowed).toContain('bundle prod.example');
  expect(allowed).toContain('workload-api');
  expect(allowed).toContain('kid authority-1 (spiffe:prod.example');
  writeFileSync(folder.file('call.bin'), await call(folder.ca, authority, { sub: 'spiffe://other.example/a' }));
  const strange = await explain();
  expect(strange).toContain('DENY token_issuer_unknown');
  expect(strange).toContain('the caller must send a JWT-SVID of prod.example (without iss, or with https://spire');
  await end();
});
