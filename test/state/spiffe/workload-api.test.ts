import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkSvid } from '../../../src/check-svid.js';
import type { TrustDomain } from '../../../src/model/ids.js';
import type { Source } from '../../../src/state/source.js';
import type { Pace } from '../../../src/state/spiffe/stream.js';
import { createWorkloadApi } from '../../../src/state/spiffe/workload-api.js';
import type { WorkloadApi } from '../../../src/state/spiffe/workload-api.js';
import { until } from '../../cli/until.js';
import { makeCa, makeKey } from '../../helpers/pki.js';
import type { TestCa } from '../../helpers/pki.js';
import { makeIssuer } from '../../helpers/tokens.js';
import type { TestIssuer } from '../../helpers/tokens.js';
import { encode, spiffe, startWorkloadApi, svidMessage } from '../../helpers/workload-api.js';
import type { WorkloadApiServer } from '../../helpers/workload-api.js';

const PROD = 'prod.example' as TrustDomain;
const PARTNER = 'partner.example' as TrustDomain;
const SOON = 5000;
const QUICK: Pace = { first: 20, most: 80, patience: 300 };
const MAX_STALE = 60_000;

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

let [root, next, partner]: TestCa[] = [];
let issuer: TestIssuer;
beforeAll(async () => {
  [root, next, partner] = await Promise.all([
    makeCa({ name: 'Prod Root' }),
    makeCa({ name: 'Next Root' }),
    makeCa({ name: 'Partner Root', trustDomain: PARTNER }),
  ]);
  issuer = await makeIssuer({ kid: 'authority-1' });
});
const ca = (each: TestCa | undefined): TestCa => each ?? expect.fail('no authority');

function socket(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fh-spiffe-'));
  undo.push(() => rmSync(folder, { recursive: true }));
  return join(folder, 'agent.sock');
}

async function server(path = socket()): Promise<WorkloadApiServer & { path: string }> {
  const started = await startWorkloadApi(`unix:${path}`);
  undo.push(() => started.stop());
  return { ...started, path };
}

const api = (path: string): WorkloadApi =>
  createWorkloadApi({
    endpoint: { kind: 'unix', path },
    checkSvid,
    pace: QUICK,
  });

/** A source that is looked at by hand; its time goes on only where a test says so. */
function follow<T>(source: Source<T>) {
  undo.push(() => source.close?.());
  let now = 1_000_000;
  const look = async (): Promise<T | undefined> => (await source.poll(now), source.current(now));
  return {
    source,
    look,
    later: (ms: number) => void (now += ms),
    becomes: (right: (value: T | undefined) => boolean) => until(async () => right(await look()), SOON),
    says: (text: string) => until(async () => (await look(), source.problem()?.includes(text) === true), SOON),
  };
}
/** Shows that a stream that tries again would have done so by now. */
async function othersTry(agent: WorkloadApiServer & { path: string }): Promise<void> {
  agent.say('FetchJWTBundles', { kind: 'end', code: status.UNAVAILABLE });
  const other = api(agent.path).keys(PROD, MAX_STALE);
  await until(() => agent.calls('FetchJWTBundles') >= 6, SOON);
  other.close?.();
}

const derOf = (cas: readonly (TestCa | undefined)[]): string[] => cas.map((each) => hex(ca(each).der));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const anchors = (contents: { anchors: readonly Uint8Array[] } | undefined): string[] | undefined =>
  contents?.anchors.map(hex);
const isExactly =
  (...cas: (TestCa | undefined)[]) =>
  (contents: { anchors: readonly Uint8Array[] } | undefined): boolean =>
    JSON.stringify(anchors(contents)) === JSON.stringify(derOf(cas));

describe('a bundle from the Workload API', () => {
  it('is each domain’s own: federated ones are apart, and never merged', async () => {
    const agent = await server();
    agent.x509({ [PROD]: [ca(root), ca(next)], [PARTNER]: [ca(partner)] });
    const workloadApi = api(agent.path);
    const [prod, other] = [follow(workloadApi.bundle(PROD, MAX_STALE)), follow(workloadApi.bundle(PARTNER, MAX_STALE))];
    await prod.becomes(isExactly(root, next));
    await other.becomes(isExactly(partner));
    expect(agent.calls('FetchX509Bundles')).toBe(1);
    expect(agent.calls('FetchJWTBundles') + agent.calls('FetchX509SVID')).toBe(0);
  });

  it('follows ten rotations, each at once and whole, and wakes whoever waits', async () => {
    const agent = await server();
    agent.x509({ [PROD]: [ca(root)] });
    const bundle = follow(api(agent.path).bundle(PROD, MAX_STALE));
    await bundle.becomes(isExactly(root));
    let woken = 0;
    bundle.source.onChange?.(() => void (woken += 1));
    for (let turn = 0; turn < 10; turn += 1) {
      const cas = turn % 2 === 0 ? [root, next] : [turn % 4 === 1 ? next : root];
      agent.x509({ [PROD]: cas.map(ca) });
      await until(() => woken === turn + 1, SOON);
      expect(isExactly(...cas)(await bundle.look())).toBe(true);
    }
    expect(agent.calls('FetchX509Bundles')).toBe(1);
  });

  it('stays the very same object while the agent says the same', async () => {
    const agent = await server();
    agent.x509({ [PROD]: [ca(root)] });
    const bundle = follow(api(agent.path).bundle(PROD, MAX_STALE));
    await bundle.becomes(isExactly(root));
    const before = await bundle.look();
    agent.x509({ [PROD]: [ca(root)], [PARTNER]: [ca(partner)] });
    agent.drop();
    await until(() => agent.calls('FetchX509Bundles') === 2, SOON);
    await until(async () => (await bundle.look(), bundle.source.problem() === undefined), SOON);
    expect(await bundle.look()).toBe(before);
  });

  it('is empty once an answer does not name the domain, also from the first one on; the others go on', async () => {
    const agent = await server();
    agent.x509({ [PROD]: [ca(root)], [PARTNER]: [ca(partner)] });
    const workloadApi = api(agent.path);
    const [prod, other, third] = [PROD, PARTNER, 'third.example' as TrustDomain].map((domain) =>
      follow(workloadApi.bundle(domain, MAX_STALE)),
    );
    await prod?.becomes(isExactly(root));
    await other?.becomes(isExactly(partner));
    await third?.becomes(isExactly());
    agent.x509({ [PROD]: [ca(root)] });
    await other?.becomes(isExactly());
    expect(other?.source.problem()).toContain('no bundle of partner.example');
    expect(anchors(await prod?.look())).toEqual(derOf([root]));
    other?.later(MAX_STALE * 2);
    expect(anchors(await other?.look())).toEqual([]);
    agent.x509({ [PROD]: [ca(root)], [PARTNER]: [ca(partner)] });
    await other?.becomes(isExactly(partner));
    expect(other?.source.problem()).toBeUndefined();
  });

  it('is empty where the agent sends the domain without an authority: nothing of it is trusted', async () => {
    const agent = await server();
    agent.x509({ [PROD]: [] });
    const bundle = follow(api(agent.path).bundle(PROD, MAX_STALE));
    await bundle.becomes(isExactly());
    expect(bundle.source.problem()).toBeUndefined();
  });

  it('is not there once the agent denies us, and back when it does not', async () => {
    const agent = await server();
    agent.x509({ [PROD]: [ca(root)] });
    const bundle = follow(api(agent.path).bundle(PROD, MAX_STALE));
    await bundle.becomes(isExactly(root));
    agent.say('FetchX509Bundles', { kind: 'end', code: status.PERMISSION_DENIED });
    await bundle.becomes((value) => value === undefined);
    expect(bundle.source.problem()).toContain('PERMISSION_DENIED');
    agent.x509({ [PROD]: [ca(root)] });
    await bundle.becomes(isExactly(root));
  });

  it('goes on while the agent is away, at most maxStale, and takes in what a restarted one says', async () => {
    const agent = await server();
    agent.x509({ [PROD]: [ca(root)] });
    const bundle = follow(api(agent.path).bundle(PROD, MAX_STALE));
    await bundle.becomes(isExactly(root));
    await agent.stop();
    await until(async () => (await bundle.look(), bundle.source.problem() !== undefined), SOON);
    bundle.later(MAX_STALE);
    expect(anchors(await bundle.look())).toEqual(derOf([root]));
    bundle.later(1);
    expect(await bundle.look()).toBeUndefined();
    const again = await server(agent.path);
    again.x509({ [PROD]: [ca(next)] });
    await bundle.becomes(isExactly(next));
    expect(bundle.source.problem()).toBeUndefined();
  });

  it('waits for a socket that is not there yet', async () => {
    const path = socket();
    const bundle = follow(api(path).bundle(PROD, MAX_STALE));
    expect(await bundle.look()).toBeUndefined();
    expect(bundle.source.problem()).toContain('has not answered yet');
    await bundle.source.settled?.();
    await bundle.says('not available: connect ENOENT');
    const agent = await server(path);
    agent.x509({ [PROD]: [ca(root)] });
    await bundle.becomes(isExactly(root));
  });

  it('comes over TCP of the loopback address too', async () => {
    const agent = await startWorkloadApi('127.0.0.1:0');
    undo.push(() => agent.stop());
    agent.x509({ [PROD]: [ca(root)] });
    const port = Number(new URL(agent.address).port);
    const workloadApi = createWorkloadApi({
      endpoint: { kind: 'tcp', host: '127.0.0.1', port },
      checkSvid,
      pace: QUICK,
    });
    await follow(workloadApi.bundle(PROD, MAX_STALE)).becomes(isExactly(root));
  });

  it('is asked for again where an agent takes the call and says nothing', async () => {
    const agent = await server();
    agent.say('FetchX509Bundles', { kind: 'silence' });
    const bundle = follow(api(agent.path).bundle(PROD, MAX_STALE));
    await bundle.says('did not answer in time');
    await until(() => agent.calls('FetchX509Bundles') > 1, SOON);
  });

  it('is asked for less and less often where every stream fails', async () => {
    const agent = await server();
    agent.say('FetchX509Bundles', { kind: 'end', code: status.UNAVAILABLE });
    const begun = Date.now();
    follow(api(agent.path).bundle(PROD, MAX_STALE));
    await until(() => agent.calls('FetchX509Bundles') >= 6, SOON);
    // At least half of 20, 40, 80, 80, 80 ms lie between six calls.
    expect(Date.now() - begun).toBeGreaterThanOrEqual(150);
  });

  it.each([status.INVALID_ARGUMENT, status.UNIMPLEMENTED])(
    'is not asked for again after %d, until SIGHUP',
    async (code) => {
      const agent = await server();
      agent.say('FetchX509Bundles', { kind: 'end', code });
      const bundle = follow(api(agent.path).bundle(PROD, MAX_STALE));
      await bundle.says(status[code]);
      await othersTry(agent);
      expect(agent.calls('FetchX509Bundles')).toBe(1);
      agent.x509({ [PROD]: [ca(root)] });
      await bundle.source.poll(1, true);
      await bundle.becomes(isExactly(root));
    },
  );

  it('asks nobody any more once it is closed', async () => {
    const agent = await server();
    agent.x509({ [PROD]: [ca(root)] });
    const workloadApi = api(agent.path);
    const [one, other] = [follow(workloadApi.bundle(PROD, MAX_STALE)), follow(workloadApi.bundle(PARTNER, MAX_STALE))];
    await one.becomes(isExactly(root));
    one.source.close?.();
    expect(agent.open('FetchX509Bundles')).toBe(1);
    other.source.close?.();
    await until(() => agent.open('FetchX509Bundles') === 0, SOON);
    await othersTry(agent);
    expect(agent.calls('FetchX509Bundles')).toBe(1);
  });
});

describe('an answer that is no state', () => {
  const good = () => ({ bundles: spiffe({ [PROD]: ca(root).der }) });
  const whole = (message: object): Buffer => encode('FetchX509Bundles', message);
  const cases: readonly [string, () => Buffer, string][] = [
    ['names no domain', () => whole({ bundles: {} }), 'names no trust domain'],
    ['names one without its scheme', () => whole({ bundles: { [PROD]: ca(root).der } }), 'not spiffe://'],
    ['names a workload', () => whole({ bundles: { 'spiffe://prod.example/a': ca(root).der } }), 'not spiffe://'],
    ['names one in capitals', () => whole({ bundles: { 'spiffe://PROD.example': ca(root).der } }), 'not spiffe://'],
    ['names one twice', () => Buffer.concat([whole(good()), whole(good())]), 'two bundles of prod.example'],
    ['holds revocation lists', () => whole({ ...good(), crl: [Buffer.from('x')] }), 'revocation lists'],
    ['is no message', () => Buffer.from('nonsense'), 'no message'],
    ['is cut', () => whole(good()).subarray(0, -20), 'no message'],
  ];

  it.each(cases)('keeps the last good bundles: it %s', async (_name, bytes, problem) => {
    const agent = await server();
    agent.x509({ [PROD]: [ca(root)] });
    const bundle = follow(api(agent.path).bundle(PROD, MAX_STALE));
    await bundle.becomes(isExactly(root));
    agent.say('FetchX509Bundles', { kind: 'bytes', bytes: bytes() });
    await bundle.says(problem);
    expect(anchors(await bundle.look())).toEqual(derOf([root]));
    agent.x509({ [PROD]: [ca(next)] });
    await bundle.becomes(isExactly(next));
    expect(agent.calls('FetchX509Bundles')).toBe(1);
  });

  it('concerns one domain alone where only that one’s bundle is wrong', async () => {
    const agent = await server();
    agent.x509({ [PROD]: [ca(root)], [PARTNER]: [ca(partner)] });
    const workloadApi = api(agent.path);
    const [prod, other] = [follow(workloadApi.bundle(PROD, MAX_STALE)), follow(workloadApi.bundle(PARTNER, MAX_STALE))];
    await other.becomes(isExactly(partner));
    const leaf = await ca(partner).issue();
    for (const wrong of [leaf.der, Buffer.from('nonsense'), ca(partner).der.subarray(0, -1)]) {
      const bundles = spiffe({ [PROD]: ca(next).der, [PARTNER]: wrong });
      agent.say('FetchX509Bundles', { kind: 'message', message: { bundles } });
      await prod.becomes(isExactly(next));
      await until(async () => (await other.look(), other.source.problem() !== undefined), SOON);
      expect(anchors(await other.look())).toEqual(derOf([partner]));
      agent.x509({ [PROD]: [ca(root)], [PARTNER]: [ca(partner)] });
      await prod.becomes(isExactly(root));
    }
  });
});

describe('JWT authorities from the Workload API', () => {
  it('are each domain’s own, and follow', async () => {
    const agent = await server();
    const other = await makeIssuer({ kid: 'authority-2' });
    agent.jwt({ [PROD]: [issuer], [PARTNER]: [other] });
    const workloadApi = api(agent.path);
    const [prod, theirs] = [follow(workloadApi.keys(PROD, MAX_STALE)), follow(workloadApi.keys(PARTNER, MAX_STALE))];
    await prod.becomes((keys) => [...(keys?.keys() ?? [])].join() === 'authority-1');
    await theirs.becomes((keys) => [...(keys?.keys() ?? [])].join() === 'authority-2');
    agent.jwt({ [PROD]: [other] });
    await prod.becomes((keys) => [...(keys?.keys() ?? [])].join() === 'authority-2');
    await theirs.becomes((keys) => keys?.size === 0);
    expect(agent.calls('FetchJWTBundles')).toBe(1);
    expect(agent.calls('FetchX509Bundles')).toBe(0);
  });

  it.each([
    ['an empty set', '{"keys":[]}'],
    ['a set that is null', '{"keys":null}'],
    ['other uses alone', '{"keys":[{"kty":"EC","use":"wit-svid","kid":"a"}]}'],
  ])('are none where the agent sends %s', async (_name, text) => {
    const agent = await server();
    agent.jwt({ [PROD]: [issuer] });
    const keys = follow(api(agent.path).keys(PROD, MAX_STALE));
    await keys.becomes((found) => found?.size === 1);
    agent.say('FetchJWTBundles', { kind: 'message', message: { bundles: spiffe({ [PROD]: Buffer.from(text) }) } });
    await keys.becomes((found) => found?.size === 0);
    expect(keys.source.problem()).toBeUndefined();
  });

  it.each([
    ['half a set', Buffer.from('{"keys":[{"kty":"EC"')],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['a set without keys', Buffer.from('{}')],
  ])('keep the last good ones over %s', async (_name, bytes) => {
    const agent = await server();
    agent.jwt({ [PROD]: [issuer] });
    const keys = follow(api(agent.path).keys(PROD, MAX_STALE));
    await keys.becomes((found) => found?.size === 1);
    agent.say('FetchJWTBundles', { kind: 'message', message: { bundles: spiffe({ [PROD]: bytes }) } });
    await until(async () => (await keys.look(), keys.source.problem() !== undefined), SOON);
    expect((await keys.look())?.size).toBe(1);
  });
});

describe('our own SVID from the Workload API', () => {
  it('is the first one of the answer, and follows its rotation', async () => {
    const agent = await server();
    const between = await makeCa({ name: 'Between', parent: ca(root) });
    const [one, two] = [await ca(root).issue(), await between.issue()];
    agent.svid(one, ca(root));
    const own = follow(api(agent.path).svid(MAX_STALE));
    await own.becomes((facts) => facts?.sha256 === one.sha256);
    agent.svid(two, between);
    await own.becomes((facts) => facts?.sha256 === two.sha256);
    expect((await own.look())?.id).toBe(two.id);
  });

  it('is not taken where a part does not fit the others', async () => {
    const agent = await server();
    const good = await ca(root).issue();
    agent.svid(good, ca(root));
    const own = follow(api(agent.path).svid(MAX_STALE));
    await own.becomes((facts) => facts?.sha256 === good.sha256);
    const fresh = await ca(root).issue();
    const message = svidMessage(fresh, ca(root)) as Record<string, unknown>;
    const otherKey = (await makeKey()).keyObject.export({ format: 'der', type: 'pkcs8' });
    const wrongs: readonly [object, string][] = [
      [{ ...message, x509_svid_key: otherKey }, 'not the one of its certificate'],
      [{ ...message, x509_svid_key: Buffer.from('key') }, 'PKCS#8'],
      [{ ...message, spiffe_id: 'spiffe://prod.example/ns/shop/sa/other' }, 'not of the name'],
      [{ ...message, bundle: ca(next).der }, 'no path'],
      [{ ...message, x509_svid: ca(root).der }, 'our own SVID'],
      [{ ...message, bundle: Buffer.alloc(0) }, 'is empty'],
      [{ ...message, x509_svid: Buffer.from(fresh.der).subarray(0, -1) }, 'longer than the bytes'],
    ];
    for (const [svid, problem] of wrongs) {
      agent.say('FetchX509SVID', { kind: 'message', message: { svids: [svid] } });
      await own.says(problem);
      expect((await own.look())?.sha256).toBe(good.sha256);
    }
    agent.say('FetchX509SVID', { kind: 'message', message: { svids: [] } });
    await own.says('no SVID');
    agent.say('FetchX509SVID', { kind: 'message', message: { svids: [message] } });
    await own.becomes((facts) => facts?.sha256 === fresh.sha256);
  });
});
