import { renameSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callFrom } from '../helpers/check-request.js';
import { decodeAnswer } from '../wire/answers.js';
import type { TestClient } from '../wire/client.js';
import { configWith, listenWith, makeFolder } from './folder.js';
import type { Folder } from './folder.js';
import { get, startGuard } from './guard.js';
import { until } from './until.js';

let folder: Folder;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

const DRAIN = 1500;
/** Contract section 9. */
const EXIT_WITHIN = 10_000;

interface Load {
  /** Ids of the decisions that were answered, in their order. */
  readonly answered: string[];
  /** gRPC codes of calls without an answer. */
  readonly failed: number[];
  /** Resolves when every caller met its first failure. */
  readonly over: Promise<unknown>;
}

/** Callers that ask again as soon as they are answered, until one call fails. */
function load(clients: readonly TestClient[], bytes: readonly Buffer[]): Load {
  const answered: string[] = [];
  const failed: number[] = [];
  const caller = async (client: TestClient, first: number): Promise<void> => {
    for (let at = first; ; at += 1) {
      try {
        const answer = await client.check(bytes[at % bytes.length] ?? Buffer.alloc(0));
        answered.push(String(decodeAnswer(answer).metadata['id']));
      } catch (error) {
        failed.push((error as { code: number }).code);
        return;
      }
    }
  };
  return { answered, failed, over: Promise.all(clients.map(caller)) };
}

describe('SIGTERM under load', () => {
  test('keeps answering, loses no answer and no record, and exits 0 in time', async () => {
    const listen = listenWith({ check: ['unix:drain.sock', '127.0.0.1:0'], plaintext: true, drainDelay: `${DRAIN}ms` });
    const guard = await startGuard(folder, configWith({ listen, audit: { to: 'file:drain.ndjson' } }));
    const tokens = await Promise.all(Array.from({ length: 4 }, () => folder.token()));
    const right = tokens.map((token) => callFrom({ peer: folder.frontend, path: '/orders/1', token }));
    const wrong = callFrom({ peer: folder.frontend, path: '/nowhere' });
    const clients = Array.from({ length: 16 }, (_, at) => guard.client(at % 2));
    const [unix, tcp] = [guard.client(0), guard.client(1)];
    const running = load(clients, [...right, wrong]);
    await until(() => running.answered.length > 200, 10_000);

    const before = running.answered.length;
    const asked = performance.now();
    guard.signal('SIGTERM');
    await until(() => guard.stderr().includes('"msg":"draining"'), DRAIN);
    expect(await tcp.health('')).toBe('NOT_SERVING');
    expect(await unix.health('')).toBe('SERVING');
    expect(performance.now() - asked).toBeLessThan(DRAIN);
    expect((await guard.page('/readyz')).status).toBe(503);
    expect((await guard.page('/healthz')).status).toBe(200);
    await until(() => running.answered.length > before + 50, DRAIN);

    const { code, stdout } = await guard.ended;
    const took = performance.now() - asked;
    await running.over;
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(took).toBeGreaterThanOrEqual(DRAIN);
    expect(took).toBeLessThan(DRAIN + EXIT_WITHIN);
    // What was not answered was never begun: UNAVAILABLE, and without a record.
    expect(new Set(running.failed)).toEqual(new Set([14]));
    const records = folder.audit('drain.ndjson').filter(({ event }) => event === 'decision');
    expect(records.map(({ id }) => id).sort()).toEqual([...running.answered].sort());
    clients.forEach((client) => client.close());
    unix.close();
    tcp.close();
  });

  test('a second SIGTERM and a SIGHUP do not cut the drain short', async () => {
    const listen = listenWith({ check: ['unix:twice.sock'], admin: 'off', drainDelay: '500ms' });
    const guard = await startGuard(folder, configWith({ listen, audit: { to: 'file:twice.ndjson' } }));
    guard.signal('SIGTERM');
    await until(() => guard.stderr().includes('"msg":"draining"'), 5000);
    guard.signal('SIGTERM');
    guard.signal('SIGINT');
    guard.signal('SIGHUP');
    expect(await guard.reasonFor(await folder.call())).toBe('allowed');
    expect((await guard.stop()).code).toBe(0);
    expect(folder.audit('twice.ndjson').filter(({ event }) => event === 'decision')).toHaveLength(1);
  });

  test('an idle connection does not delay the end, and SIGINT ends it alike', async () => {
    const guard = await startGuard(folder, configWith({ audit: { to: 'file:idle.ndjson' } }));
    await guard.reasonFor(await folder.call());
    const asked = performance.now();
    guard.signal('SIGINT');
    expect((await guard.ended).code).toBe(0);
    expect(performance.now() - asked).toBeLessThan(3000);
    await expect(get({ kind: 'unix', path: folder.file('admin.sock') }, '/healthz')).rejects.toThrow();
    await guard.stop();
  });
});

describe('SIGHUP', () => {
  test('opens the audit file anew after a rename, and no record is lost', async () => {
    const guard = await startGuard(folder, configWith({ audit: { to: 'file:rotated.ndjson' } }));
    const ids: unknown[] = [];
    const ask = async (): Promise<void> => void ids.push((await guard.ask(await folder.call())).metadata['id']);
    await ask();
    renameSync(folder.file('rotated.ndjson'), folder.file('rotated.1'));
    await ask();
    guard.signal('SIGHUP');
    await until(() => guard.stderr().includes('"msg":"reloaded"'), 5000);
    await ask();
    expect((await guard.stop()).code).toBe(0);
    const idsIn = (name: string): unknown[] =>
      folder.audit(name).flatMap(({ event, id }) => (event === 'decision' ? [id] : []));
    expect(idsIn('rotated.1')).toEqual(ids.slice(0, 2));
    expect(idsIn('rotated.ndjson')).toEqual(ids.slice(2));
  });

  test('loads a changed file at once, and a bad one not at all', async () => {
    const guard = await startGuard(folder, configWith({ audit: { to: 'file:hangup.ndjson' } }));
    const reloads = (): number => guard.stderr().split('"msg":"reloaded"').length - 1;
    const call = await folder.call();
    expect(await guard.reasonFor(call)).toBe('allowed');
    folder.replace('scopes', 'GET /orders/{id} orders.admin\n');
    guard.signal('SIGHUP');
    await until(() => reloads() === 1, 5000);
    expect(await guard.reasonFor(call)).toBe('scope_missing');
    folder.replace('scopes', 'GET /orders/{id}\n');
    guard.signal('SIGHUP');
    await until(() => reloads() === 2, 5000);
    expect(await guard.reasonFor(call)).toBe('scope_missing');
    expect((await guard.stop()).code).toBe(0);
    const loaded = folder.audit('hangup.ndjson').filter(({ event }) => event.startsWith('policy_'));
    expect(loaded.map(({ event }) => event)).toEqual(['policy_loaded', 'policy_loaded', 'policy_refused']);
  });

  test('takes a changed configuration, and keeps the old one where the new one could not have been started with', async () => {
    folder.write('scopes', 'GET /orders/{id} orders.read\n');
    const config = (changes: object): string =>
      configWith({ audit: { to: 'file:changed.ndjson' }, denials: { detail: 'none' }, ...changes });
    const guard = await startGuard(folder, config({}));
    const denied = await folder.call({ path: '/nowhere' });
    const body = async (): Promise<string> => (await guard.ask(denied)).body;
    const hangUp = async (text: string, says: string): Promise<void> => {
      const before = guard.stderr().length;
      writeFileSync(guard.config, text);
      guard.signal('SIGHUP');
      await until(() => guard.stderr().slice(before).includes(says), 5000);
    };
    expect(await body()).not.toContain('route_undeclared');
    await hangUp(config({ denials: { detail: 'reason' } }), '"msg":"reloaded"');
    expect(await body()).toContain('route_undeclared');
    const goesOn = 'the configuration is not usable, the last good one goes on';
    await hangUp(config({ denials: { detail: 'everything' } }), goesOn);
    await hangUp(config({ denials: { detail: 'none' }, tokens: [] }).replace('prod.pem', 'none.pem'), goesOn);
    folder.write('scopes', 'nonsense\n');
    await hangUp(config({}), goesOn);
    expect(await body()).toContain('route_undeclared');
    expect(await guard.reasonFor(await folder.call())).toBe('allowed');
    expect((await guard.stop()).code).toBe(0);
  });
});
