/** Bundle endpoints that show an X.509-SVID, and bundles in their order, against a real server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkSvid } from '../../../src/check-svid.js';
import { readersFor } from '../../../src/engine.js';
import type { HttpsSpiffeFrom } from '../../../src/model/from.js';
import type { SpiffeId, TrustDomain } from '../../../src/model/ids.js';
import { LIMITS } from '../../../src/state/remote/https.js';
import { createRemotes } from '../../../src/state/remote/remotes.js';
import type { Source } from '../../../src/state/source.js';
import type { BundleContents } from '../../../src/state/trust-bundle.js';
import { serve, startHttpsSource } from '../../helpers/https-source.js';
import type { HttpsSource } from '../../helpers/https-source.js';
import { CLIENT_AUTH, makeCa } from '../../helpers/pki.js';
import type { SvidOptions, TestCa } from '../../helpers/pki.js';

const PARTNER = 'partner.example' as TrustDomain;
const ENDPOINT = 'spiffe://partner.example/bundle/endpoint' as SpiffeId;
const HOUR = 3_600_000;
const { bundle: parse } = readersFor({ policy: { guardrails: '', ownersMay: [] } } as never);

let folder: string;
let server: HttpsSource;
let root: TestCa;
let next: TestCa;
const open: Source<unknown>[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fh-endpoint-'));
  root = await makeCa({ name: 'Partner Root', trustDomain: PARTNER });
  next = await makeCa({ name: 'Partner Next', trustDomain: PARTNER });
  server = await startHttpsSource(serve(json([root])));
});
afterEach(() => open.splice(0).forEach((source) => source.close?.()));
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const json = (cas: readonly TestCa[], more: object = {}): string =>
  JSON.stringify({
    keys: cas.map(({ der }) => ({ kty: 'EC', use: 'x509-svid', x5c: [Buffer.from(der).toString('base64')] })),
    ...more,
  });

const show = async (options: SvidOptions = {}, ca = root): Promise<void> =>
  server.show(await ca.issue({ id: ENDPOINT, ...options }));

function endpoint(changes: Partial<HttpsSpiffeFrom> = {}, domain = PARTNER): Source<BundleContents> {
  const bootstrap = join(folder, 'bootstrap.json');
  const from: HttpsSpiffeFrom = {
    kind: 'https-spiffe',
    // No name of the server's certificate fits this one, and none has to.
    url: `https://127.0.0.1:${server.port}/bundle`,
    endpoint: ENDPOINT,
    bootstrap,
    allow: [],
    maxStale: HOUR,
    ...changes,
  };
  const source = createRemotes({ chance: () => 0, limits: { ...LIMITS, whole: 2000 } }).endpoint(from, domain, {
    parse,
    checkSvid,
  });
  open.push(source);
  return source;
}

const bootstrapWith = (...cas: readonly TestCa[]): void => writeFileSync(join(folder, 'bootstrap.json'), json(cas));

/** One attempt, from its beginning until it is taken in. */
async function attempt(source: Source<BundleContents>, now = Date.now()): Promise<BundleContents | undefined> {
  const ended = new Promise<void>((resolve) => {
    const off = source.onChange?.(() => (off?.(), resolve()));
  });
  await source.poll(now, true);
  await ended;
  await source.poll(now);
  return source.current(now);
}

const isRoot = (contents: BundleContents | undefined, ca: TestCa): boolean =>
  contents?.anchors.length === 1 && Buffer.from(contents.anchors[0] ?? []).equals(Buffer.from(ca.der));

describe('an endpoint that shows an SVID', () => {
  it('is believed by its ID and the bootstrap bundle, whatever its host is called', async () => {
    bootstrapWith(root);
    await show();
    server.respond(serve(json([root, next])));
    const source = endpoint();
    expect((await attempt(source))?.anchors).toHaveLength(2);
    expect(source.problem()).toBeUndefined();
  });

  it('may show intermediates', async () => {
    bootstrapWith(root);
    await show({}, await makeCa({ name: 'Between', parent: root }));
    server.respond(serve(json([root])));
    expect(isRoot(await attempt(endpoint()), root)).toBe(true);
  });

  it.each<[string, () => Promise<void>, string]>([
    [
      'another workload of the domain',
      () => show({ id: 'spiffe://partner.example/other' }),
      'expected spiffe://partner',
    ],
    ['a workload whose ID begins alike', () => show({ id: `${ENDPOINT}x` }), 'expected spiffe://partner'],
    ['the right ID by another authority', () => show({}, next), 'no path'],
    ['an SVID that has run out', () => show({ notAfter: new Date(Date.now() - 1000) }), 'outside its validity'],
    ['an SVID of tomorrow', () => show({ notBefore: new Date(Date.now() + 60_000) }), 'outside its validity'],
    ['an SVID for clients alone', () => show({ eku: [CLIENT_AUTH] }), 'not for servers'],
    ['two IDs', () => show({ uris: [ENDPOINT, 'spiffe://partner.example/b'] }), 'URI names'],
    ['the name of its host alone', () => show({ uris: [], dns: ['localhost'] }), 'URI names'],
  ])('is not believed with %s, and asked for nothing', async (_name, showIt, problem) => {
    bootstrapWith(root);
    await showIt();
    server.respond(serve(json([next])));
    const source = endpoint();
    expect(await attempt(source)).toBeUndefined();
    expect(source.problem()).toContain(problem);
  });

  it('is verified with what it gave last: a domain that rotates everything stays reachable', async () => {
    bootstrapWith(root);
    await show();
    server.respond(serve(json([root, next])));
    const source = endpoint();
    await attempt(source);
    await show({}, next);
    server.respond(serve(json([next])));
    expect(isRoot(await attempt(source), next)).toBe(true);
    // The root is gone from the bundle, and what it signs with it.
    await show({}, root);
    server.respond(serve(json([root])));
    expect(isRoot(await attempt(source), next)).toBe(true);
    expect(source.problem()).toContain('no path');
  });

  it('of another domain is verified with the bootstrap file alone, never with the bundle that it gives', async () => {
    const other = await makeCa({ trustDomain: 'other.example' });
    const id = 'spiffe://other.example/endpoint' as SpiffeId;
    bootstrapWith(other);
    await show({ id }, other);
    server.respond(serve(json([root])));
    const source = endpoint({ endpoint: id });
    expect(isRoot(await attempt(source), root)).toBe(true);
    expect(isRoot(await attempt(source), root)).toBe(true);
    expect(source.problem()).toBeUndefined();
    await show({ id }, root);
    await attempt(source);
    expect(source.problem()).toContain('no path');
  });

  it('is verified anew with a bootstrap file that was changed', async () => {
    bootstrapWith(root);
    await show();
    server.respond(serve(json([root])));
    const source = endpoint();
    await attempt(source);
    await show({}, next);
    server.respond(serve(json([next])));
    await attempt(source);
    expect(source.problem()).toContain('no path');
    bootstrapWith(next);
    expect(isRoot(await attempt(source), next)).toBe(true);
  });

  it('gives a bundle that revokes its domain: nothing is trusted, the endpoint included', async () => {
    bootstrapWith(root);
    await show();
    server.respond(serve(json([])));
    const source = endpoint();
    expect((await attempt(source))?.anchors).toEqual([]);
    server.respond(serve(json([root])));
    expect((await attempt(source))?.anchors).toEqual([]);
    expect(source.problem()).toContain('empty');
  });

  it('can not be asked where the bootstrap file is bad', async () => {
    writeFileSync(join(folder, 'bad.json'), '{"keys":[');
    const source = endpoint({ bootstrap: join(folder, 'bad.json') });
    await source.poll(Date.now(), true);
    expect(source.startProblem?.()).toContain('not JSON');
  });
});

describe('the order of bundles from an endpoint', () => {
  it('never goes back; the same number and none are taken as they come', async () => {
    bootstrapWith(root, next);
    await show();
    const source = endpoint();
    const gives = async (cas: readonly TestCa[], sequence?: number): Promise<BundleContents | undefined> => {
      server.respond(serve(json(cas, sequence === undefined ? {} : { spiffe_sequence: sequence })));
      return attempt(source);
    };
    expect((await gives([root, next], 7))?.sequence).toBe(7);
    expect(isRoot(await gives([root], 8), root)).toBe(true);
    expect(isRoot(await gives([root, next], 7), root)).toBe(true);
    expect(source.problem()).toContain('went back from 8 to 7');
    expect((await gives([root, next], 8))?.anchors).toHaveLength(2);
    expect(isRoot(await gives([root]), root)).toBe(true);
    expect(isRoot(await gives([next], 6), root)).toBe(true);
    expect((await gives([root, next], 9))?.anchors).toHaveLength(2);
    expect(source.problem()).toBeUndefined();
  });
});
