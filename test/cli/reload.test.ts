import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { makeCa } from '../helpers/pki.js';
import { makeIssuer } from '../helpers/tokens.js';
import { annotationsVolume, configWith, makeFolder } from './folder.js';
import type { AuditLine, Folder } from './folder.js';
import { startGuard } from './guard.js';
import type { Guard } from './guard.js';
import { CHANGED_FILE_COUNTS, until } from './until.js';

const READ = 'GET /orders/{id} orders.read\n';
const ADMIN = 'GET /orders/{id} orders.admin\n';

/** A guard with a folder of its own, and the ways in which one looks for what a change did. */
interface Scene {
  readonly folder: Folder;
  readonly guard: Guard;
  /** The same call again and again, so that what changes must reach remembered decisions too. */
  readonly call: Buffer;
  reasonTurns(to: string): Promise<void>;
  readiness(): Promise<{ readonly status: number; readonly problems: Readonly<Record<string, string>> }>;
  problemTells(text: string): Promise<void>;
  problemsEnd(): Promise<void>;
  recordOf(id: unknown): Promise<Readonly<Record<string, unknown>>>;
  countOf(event: string): number;
  /** Every guard of a test ends well. */
  end(): Promise<void>;
}

async function sceneWith(prepare: (folder: Folder) => object): Promise<Scene> {
  const folder = await makeFolder();
  const guard = await startGuard(folder, configWith({ policy: prepare(folder) }));
  const call = await folder.call();
  const readiness: Scene['readiness'] = async () => {
    const { status, body } = await guard.page('/readyz');
    return { status, problems: (JSON.parse(body) as { problems: Record<string, string> }).problems };
  };
  const soon = (condition: () => Promise<boolean>): Promise<void> => until(condition, CHANGED_FILE_COUNTS);
  return {
    folder,
    guard,
    call,
    readiness,
    reasonTurns: (to) => soon(async () => (await guard.reasonFor(call)) === to),
    problemTells: (text) => soon(async () => JSON.stringify((await readiness()).problems).includes(text)),
    problemsEnd: () => soon(async () => Object.keys((await readiness()).problems).length === 0),
    async recordOf(id) {
      const find = (): AuditLine | undefined => folder.audit().find((line) => line.id === id);
      await until(() => find() !== undefined, 2000);
      return find() ?? {};
    },
    countOf: (event) => folder.audit().filter((line) => line.event === event).length,
    async end() {
      expect((await guard.stop()).code).toBe(0);
      folder.remove();
    },
  };
}

const sceneOf = (lines: string, policy: object = {}): Promise<Scene> =>
  sceneWith((folder) => {
    folder.write('scopes', lines);
    return { scopes: 'scopes', ...policy };
  });

async function annotatedScene(): Promise<Scene & { annotate: (scopes: string) => void }> {
  let annotate: (scopes: string) => void = () => undefined;
  const scene = await sceneWith((folder) => {
    annotate = annotationsVolume(folder, 'podinfo');
    annotate(READ);
    return { annotations: 'podinfo/annotations' };
  });
  return { ...scene, annotate };
}

describe.concurrent('a running guard', () => {
  test('takes a changed annotation by the kubelet’s swap', async () => {
    const { annotate, guard, call, reasonTurns, end } = await annotatedScene();
    expect(await guard.reasonFor(call)).toBe('allowed');
    annotate(ADMIN);
    await reasonTurns('scope_missing');
    annotate(READ);
    await reasonTurns('allowed');
    await end();
  });

  test('keeps the last good annotation when a bad one comes, and says so everywhere', async () => {
    const { annotate, guard, call, problemTells, problemsEnd, readiness, recordOf, countOf, end } =
      await annotatedScene();
    annotate('GET /orders/{id}\n');
    await problemTells('1:');
    const { status, problems } = await readiness();
    expect(status).toBe(200);
    expect(problems['policy']).toContain('annotations');
    const { metadata } = await guard.ask(call);
    expect(metadata['reason']).toBe('allowed');
    expect(await recordOf(metadata['id'])).toMatchObject({ policy_stale: true });
    expect(countOf('policy_refused')).toBe(1);
    expect((await guard.page('/metrics')).body).toContain('firsthand_policy_reloads_total{result="refused"} 1');

    annotate(READ);
    await problemsEnd();
    const fresh = await guard.ask(call);
    expect(await recordOf(fresh.metadata['id'])).toMatchObject({ policy_stale: false, reason: 'allowed' });
    await end();
  });

  test('refuses a removed key, keeps the last good one over a half-written file, takes an empty list', async () => {
    const { folder, guard, call, reasonTurns, problemTells, readiness, countOf, end } = await sceneOf(READ);
    expect(await guard.reasonFor(call)).toBe('allowed');
    const other = await makeIssuer({ kid: 'key-2' });
    folder.replace('idp.jwks.json', JSON.stringify(other.jwks));
    await reasonTurns('token_key_unknown');
    const both = JSON.stringify({ keys: [folder.issuer.jwk, other.jwk] });
    folder.replace('idp.jwks.json', both);
    await reasonTurns('allowed');
    expect(countOf('keys_changed')).toBe(3);

    folder.write('idp.jwks.json', both.slice(0, both.length / 2));
    await problemTells('idp.jwks.json');
    expect(await guard.reasonFor(call)).toBe('allowed');
    expect((await readiness()).status).toBe(200);
    expect(countOf('keys_changed')).toBe(3);

    folder.write('idp.jwks.json', '{"keys":[]}');
    await reasonTurns('token_key_unknown');
    expect((await readiness()).problems).toEqual({});
    await end();
  });

  test('takes a replaced bundle: the old root’s certificates are untrusted from then on', async () => {
    const { folder, guard, call, reasonTurns, countOf, end } = await sceneOf(READ);
    expect(await guard.reasonFor(call)).toBe('allowed');
    const next = await makeCa({ name: 'Next Root CA' });
    const moved = await folder.call({ peer: await next.issue() });
    folder.replace('prod.pem', next.certificate);
    await reasonTurns('peer_untrusted');
    expect(await guard.reasonFor(moved)).toBe('allowed');
    folder.replace('prod.pem', next.certificate + folder.ca.certificate);
    await reasonTurns('allowed');
    expect(await guard.reasonFor(moved)).toBe('allowed');
    expect(countOf('bundle_changed')).toBe(3);
    await end();
  });

  test('keeps the last good bundle over an emptied file, trusts nobody with an empty SPIFFE bundle', async () => {
    const { folder, guard, call, reasonTurns, problemTells, readiness, end } = await sceneOf(READ);
    folder.write('prod.pem', '');
    await problemTells('prod.pem');
    expect(await guard.reasonFor(call)).toBe('allowed');
    folder.write('prod.pem', '{"keys":[]}');
    await reasonTurns('peer_untrusted');
    expect((await readiness()).problems).toEqual({});
    await end();
  });

  test('keeps the last good one of a file that vanishes', async () => {
    const { folder, guard, call, problemTells, problemsEnd, end } = await sceneOf(READ);
    rmSync(folder.file('idp.jwks.json'));
    await problemTells('does not exist');
    expect(await guard.reasonFor(call)).toBe('allowed');
    folder.write('idp.jwks.json', JSON.stringify(folder.issuer.jwks));
    await problemsEnd();
    await end();
  });
});

describe.concurrent('the policy', () => {
  test('of `reload: restart` ignores changes of the annotation', async () => {
    const { folder, guard, call, end } = await sceneOf(READ, { reload: 'restart' });
    const live = await startGuard(
      folder,
      configWith({
        policy: { scopes: 'scopes' },
        listen: { check: ['unix:live.sock'], admin: 'off', drainDelay: '0s' },
      }),
    );
    expect(await guard.reasonFor(call)).toBe('allowed');
    folder.replace('scopes', ADMIN);
    // The other guard shows when the change had its time.
    await until(async () => (await live.reasonFor(call)) === 'scope_missing', CHANGED_FILE_COUNTS);
    expect(await guard.reasonFor(call)).toBe('allowed');
    guard.signal('SIGHUP');
    await until(() => guard.stderr().includes('"msg":"reloaded"'), CHANGED_FILE_COUNTS);
    expect(await guard.reasonFor(call)).toBe('allowed');
    await live.stop();
    await end();
  });

  test('that is bad at start leaves the guard alive but not ready, until it gets good', async () => {
    const { folder, guard, call, readiness, reasonTurns, end } = await sceneOf('GET /orders/{id} orders.read age<5m\n');
    expect((await readiness()).status).toBe(503);
    expect((await guard.page('/healthz')).status).toBe(200);
    const { metadata, httpStatus } = await guard.ask(call);
    expect({ reason: metadata['reason'], httpStatus }).toEqual({ reason: 'policy_invalid', httpStatus: 503 });
    folder.replace('scopes', READ);
    await reasonTurns('allowed');
    expect((await readiness()).status).toBe(200);
    await end();
  });

  test('that stays bad longer than maxLastGood is no policy any more', async () => {
    const { folder, guard, call, readiness, reasonTurns, end } = await sceneOf(READ, { maxLastGood: '1s' });
    expect(await guard.reasonFor(call)).toBe('allowed');
    folder.replace('scopes', 'nonsense\n');
    await reasonTurns('policy_invalid');
    expect((await readiness()).status).toBe(503);
    folder.replace('scopes', READ);
    await reasonTurns('allowed');
    await end();
  });
});
