/**
 * One engine: what `serve` answers and records, `explain` tells, `test` finds and `replay` decides again, for all captures
 * under several configurations, and for requests in the short form.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { formatConfigIssue, loadConfig } from '../../src/config/load.js';
import { checkGuardrails } from '../../src/engine.js';
import type { REASONS } from '../../src/model/reasons.js';
import type { TrustDomain } from '../../src/model/ids.js';
import { createForge } from '../../src/workbench/forge.js';
import type { Forge } from '../../src/workbench/forge.js';
import { parseShortForm } from '../../src/workbench/short-form.js';
import { splitWords } from '../../src/workbench/words.js';
import { callFrom } from '../helpers/check-request.js';
import { makeCa } from '../helpers/pki.js';
import { served } from '../helpers/served.js';
import { makeIssuer } from '../helpers/tokens.js';
import { configOf, LINES as SHOP_LINES } from '../workbench/forged.js';
import {
  allPass,
  explained,
  nothingChanges,
  replayed,
  folderWith,
  recordedLine,
  saidIn,
  serveOnce,
  tested,
} from './agree.js';
import type { Folder, ServedOnce } from './agree.js';

const CAPTURES = new URL('../captures/', import.meta.url);
const captures = readdirSync(CAPTURES).filter((name) => name.endsWith('.bin'));
const capture = (name: string): Buffer => readFileSync(new URL(name, CAPTURES));
const pki = (name: string): string => readFileSync(new URL(`pki/${name}`, CAPTURES), 'utf8');

const root = mkdtempSync(join(tmpdir(), 'firsthand-agreement-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const CONFIG = {
  listen: { check: ['unix:check.sock'], admin: 'off' },
  trust: { 'prod.example': { bundle: 'prod.pem', environment: 'prod' }, 'partner.example': { bundle: 'partner.pem' } },
  tokens: [
    {
      issuer: 'https://issuer.prod.example',
      keys: 'jwks.json',
      audiences: ['payments.shop.prod.example'],
      maxLifetime: '20000d',
    },
  ],
  origin: {
    forwarders: [
      { id: 'spiffe://prod.example/ns/edge/sa/gateway', origins: ['spiffe://prod.example/**'] },
      {
        id: 'spiffe://prod.example/ns/shop/sa/checkout',
        origins: ['spiffe://prod.example/**'],
        behind: ['spiffe://prod.example/ns/edge/sa/gateway'],
      },
    ],
  },
  policy: { scopes: 'scopes', ownersMay: ['workload', 'anyone'] },
} as const;

const LINES = `GET  /v1/charges             payments:read
POST /v1/charges             payments:write  from=ns/shop/sa/*
GRPC payments.v1.Payments/*  payments:read+payments:write
`;
const WORKLOADS = 'GET /** workload from=ns/shop/**,outside@ns/edge/sa/gateway\nPOST /v1/** anyone\n';
const STRICT = 'GET /v1/charges payments:read bound via=ns/edge/sa/gateway,direct age<=20000d\n* /** refunds:write\n';

interface Variant {
  readonly name: string;
  readonly origin?: object;
  readonly trust?: object;
  readonly token?: object;
  readonly policy?: object;
  readonly lines?: string;
}

const VARIANTS: readonly Variant[] = [
  { name: 'append-forward' },
  { name: 'sanitize-set', origin: { xfcc: 'sanitize-set' } },
  { name: 'forward-only', origin: { xfcc: 'forward-only' } },
  { name: 'ignore', origin: { xfcc: 'ignore', forwarders: [] } },
  { name: 'no forwarders', origin: { forwarders: [] } },
  { name: 'peer from the header', origin: { peer: 'xfcc' } },
  { name: 'peer by its name', origin: { peer: 'principal' } },
  { name: 'bound tokens', token: { binding: 'exact' } },
  { name: 'tokens that name their workload', token: { identity: '{sub}', binding: 'identity' } },
  { name: 'short tokens', token: { maxLifetime: '1h' } },
  { name: 'other audience', token: { audiences: ['orders'] } },
  { name: 'some presenters', token: { presenters: ['spiffe://prod.example/ns/shop/sa/frontend'] } },
  { name: 'lines without tokens', lines: WORKLOADS },
  { name: 'strict lines', lines: STRICT },
  { name: 'guardrails', lines: WORKLOADS, policy: { guardrails: 'GET /** token bound\nPOST /** payments:write\n' } },
  {
    name: 'guardrails about tokens',
    lines: WORKLOADS,
    token: { binding: 'exact' },
    policy: { guardrails: '* /** token\n* /** workload from=ns/shop/sa/*\n' },
  },
  { name: 'shadow', lines: STRICT, policy: { mode: 'shadow' } },
  {
    name: 'ceilings',
    trust: { 'prod.example': { bundle: 'prod.pem', ceiling: { scopes: ['payments:write'], data: 'internal' } } },
  },
  { name: 'bad lines', lines: 'GETT /\n' },
];

function variantFolder({ name, origin, trust, token, policy, lines = LINES }: Variant, now: () => number): Folder {
  const [issuer] = CONFIG.tokens;
  return folderWith(join(root, name), now, {
    'firsthand.yaml': JSON.stringify({
      ...CONFIG,
      origin: { ...CONFIG.origin, ...origin },
      trust: { ...CONFIG.trust, ...trust },
      tokens: [{ ...issuer, ...token }],
      policy: { ...CONFIG.policy, ...policy },
    }),
    scopes: lines,
    'prod.pem': pki('root-ca.crt'),
    'partner.pem': pki('partner-ca.crt'),
    'jwks.json': pki('jwks.json'),
  });
}

async function expectNoChange(folder: Folder, lines: readonly string[]): Promise<void> {
  expect(await replayed(folder, lines)).toMatchObject(nothingChanges(lines));
}

const WHEN = '2026-11-22T12:00:00Z';
const reasons = new Set<string>();

describe.each(VARIANTS)('about all captures, with $name,', (variant) => {
  it('serve, explain, test and replay agree', async () => {
    const folder = variantFolder(variant, () => Date.parse(WHEN));
    const serve = new Map<string, ServedOnce>();
    for (const name of captures) {
      const once = await serveOnce(folder, capture(name));
      serve.set(name, once);
      writeFileSync(join(folder.path, name), capture(name));
      expect([name, await explained(folder, [join(folder.path, name)])]).toEqual([name, once.said]);
      reasons.add(once.said.shadow ?? once.said.reason);
    }
    const wanted = [...serve].map(([name, { said }]) => ({ subject: { capture: name, at: WHEN }, said }));
    if (variant.name !== 'bad lines') expect(await tested(folder, wanted)).toEqual(allPass(wanted));
    // Nothing can be compared with lines that are wrong.
    const comes = variant.name === 'bad lines' ? () => ({ exit: 2 }) : nothingChanges;
    const all = [...serve.values()];
    for (const lines of [all.map(({ recorded }) => recorded), all.map(({ audited }) => audited)])
      expect(await replayed(folder, lines)).toMatchObject(comes(lines));
  });
});

/** Each in the short form, with the word that is expected, so that they can not all agree on something wrong. */
const SCENARIOS: readonly (readonly [reason: keyof typeof REASONS, request: string])[] = [
  ['allowed', 'GET /orders/1 --as frontend --scopes orders.read'],
  ['allowed', 'GET /orders/1?page=2 --as frontend --via gateway --scopes orders.read --host Orders.Example:8443'],
  ['allowed', 'GET /orders/1 --as frontend --via gateway,mesh --scopes orders.read,orders.write --bound'],
  ['scope_missing', 'GET /orders/1 --as frontend --scopes orders.write'],
  ['token_missing', 'GET /orders/1 --as frontend --no-token'],
  ['token_audience', 'GET /orders/1 --as frontend --scopes orders.read --claim aud=carts'],
  ['token_expired', 'GET /orders/1 --as frontend --scopes orders.read --claim exp=1'],
  ['token_issuer_unknown', 'GET /orders/1 --as frontend --scopes orders.read --issuer https://idp.elsewhere.example'],
  ['presenter_not_allowed', 'GET /orders/1 --as ns/ops/sa/cleaner --scopes orders.read'],
  ['route_undeclared', 'GET /nothing --as frontend --scopes orders.read'],
  ['route_undeclared', 'DELETE /orders/1 --as frontend --scopes orders.read'],
  ['path_ambiguous', 'GET /orders/..%2f --as frontend --scopes orders.read'],
  ['path_ambiguous', 'GET /ORDERS/1 --as frontend --scopes orders.read'],
  ['header_ambiguous', "GET /orders/1 --as frontend --scopes orders.read --header 'x-http-method-override: DELETE'"],
  ['upgrade_not_declared', "GET /orders/1 --as frontend --scopes orders.read --header 'upgrade: websocket'"],
  ['origin_unresolved', 'GET /orders/1 --as outside --via gateway --scopes orders.read'],
  ['binding_unavailable', 'GET /out/1 --as outside --via gateway --scopes orders.read'],
  ['peer_untrusted', 'GET /orders/1 --as spiffe://partner.example/ns/shop/sa/a --scopes orders.read'],
  ['identity_revoked', 'GET /orders/1 --as leaver --scopes orders.read'],
  ['allowed_workload', 'GET /stats --as ns/monitoring/sa/prometheus --no-token'],
  ['caller_not_allowed', 'GET /stats --as frontend'],
  ['allowed', 'GET /bound --as frontend --bound'],
  ['binding_missing', 'GET /bound --as frontend'],
  ['allowed', 'GET /young --as frontend --age 9m'],
  ['token_too_old', 'GET /young --as frontend --age 11m'],
  ['allowed', 'GET /once --as frontend'],
  ['allowed', 'GRPC shop.v1.Cart/Add --as frontend --scopes cart.write'],
  ['route_undeclared', 'GRPC shop.v1.Cart/Remove --as frontend --scopes cart.write'],
  ['allowed_anyone', 'GET /healthz'],
];

const NOW = Date.parse('2026-11-24T10:00:00Z');
const SHOP = configOf({
  token: {
    presenters: ['spiffe://prod.example/ns/shop/**', 'spiffe://prod.example/ns/monitoring/**'],
    maxLifetime: '2h',
  },
  more: { revocation: { file: 'revoked.ndjson' } },
});
const LEAVER = { at: '2026-11-24T09:00:00Z', revoke: 'identity', value: 'spiffe://prod.example/ns/shop/sa/leaver' };

const wordsOf = (line: string): string[] => {
  const words = splitWords(line);
  if (typeof words === 'string') throw new Error(words);
  return words.map(({ text }) => text);
};

/** Bundle and keys are those of the forge that signs for `serve`; the tools sign their short forms themselves. */
async function shop(name: string): Promise<Folder & { forge: Forge; bytes(line: string): Promise<Buffer> }> {
  const folder = folderWith(join(root, name), () => NOW, {
    'firsthand.yaml': SHOP,
    scopes: SHOP_LINES,
    'revoked.ndjson': `${JSON.stringify(LEAVER)}\n`,
  });
  const loaded = loadConfig(folder.config, {}, checkGuardrails);
  if (!loaded.ok) throw new Error(loaded.issues.map(formatConfigIssue).join('\n'));
  const forge = await createForge(loaded.settings, folder.now);
  writeFileSync(join(folder.path, 'prod.pem'), forge.bundles.get('prod.example' as TrustDomain) ?? '');
  writeFileSync(join(folder.path, 'idp.json'), forge.keys.get('https://idp.prod.example') ?? '');
  return {
    ...folder,
    forge,
    bytes(line) {
      const scenario = parseShortForm(wordsOf(line), loaded.settings);
      if (typeof scenario === 'string') throw new Error(scenario);
      return forge.request(scenario);
    },
  };
}

describe('about requests in the short form', () => {
  it('serve, explain, test and replay agree', async () => {
    const folder = await shop('shop');
    const wanted: Parameters<typeof tested>[1][number][] = [];
    const all: ServedOnce[] = [];
    for (const [index, [reason, request]] of SCENARIOS.entries()) {
      const bytes = await folder.bytes(request);
      const once = await serveOnce(folder, bytes);
      expect([request, once.said.reason]).toEqual([request, reason]);
      const file = `${index}.bin`;
      writeFileSync(join(folder.path, file), bytes);
      expect([request, await explained(folder, [join(folder.path, file)])]).toEqual([request, once.said]);
      expect([request, await explained(folder, wordsOf(request))]).toEqual([request, once.said]);
      wanted.push({ subject: { request }, said: once.said }, { subject: { capture: file }, said: once.said });
      all.push(once);
      reasons.add(reason);
    }
    expect(await tested(folder, wanted)).toEqual(allPass(wanted));
    await expectNoChange(
      folder,
      all.map(({ recorded }) => recorded),
    );
    await expectNoChange(
      folder,
      all.map(({ audited }) => audited),
    );
  });

  it('the wrong expectation fails, and another policy changes what replay says', async () => {
    const folder = await shop('wrong');
    const request = 'GET /orders/1 --as frontend --scopes orders.read';
    const once = await serveOnce(folder, await folder.bytes(request));
    const said = { ...once.said, reason: 'scope_missing', decision: 'deny' };
    expect(await tested(folder, [{ subject: { request }, said }])).toMatchObject({ exit: 1, passed: 0 });
    writeFileSync(join(folder.path, 'scopes'), 'GET /orders/{id} orders.write\n');
    for (const line of [once.recorded, once.audited]) {
      expect(await replayed(folder, [line])).toMatchObject({
        exit: 1,
        changes: [{ before: 'allow allowed', now: 'deny scope_missing' }],
      });
    }
  });
});

describe('what a guard remembered', () => {
  it('is taken from the records: a replay says again who came second', async () => {
    const [ca, issuer] = [await makeCa(), await makeIssuer()];
    const folder = folderWith(join(root, 'memory'), Date.now, {
      'firsthand.yaml': configOf({}),
      scopes: SHOP_LINES,
      'prod.pem': ca.certificate,
      'idp.json': JSON.stringify(issuer.jwks),
    });
    const [frontend, backend] = await Promise.all(
      ['frontend', 'backend'].map((name) => ca.issue({ id: `spiffe://prod.example/ns/shop/sa/${name}` })),
    );
    if (frontend === undefined || backend === undefined) throw new Error('no certificates');
    const [shared, single] = [await issuer.sign({ scope: 'orders.read' }), await issuer.sign()];
    const guard = await served(folder.config);
    const recorded: string[] = [];
    const said: string[] = [];
    for (const call of [
      callFrom({ peer: frontend, path: '/orders/1', token: shared }),
      callFrom({ peer: frontend, path: '/orders/1', token: shared }),
      callFrom({ peer: backend, path: '/orders/1', token: shared }),
      callFrom({ peer: frontend, path: '/once', token: single }),
      callFrom({ peer: frontend, path: '/once', token: single }),
    ]) {
      const check = await guard.check(call);
      recorded.push(recordedLine(check, guard.settings));
      said.push(`${saidIn(check.outcome).reason} ${check.outcome.cache}`);
    }
    expect(said).toEqual([
      'allowed miss',
      'allowed hit',
      'token_presenter_changed miss',
      'allowed miss',
      'token_replayed miss',
    ]);
    await expectNoChange(folder, recorded);
    await expectNoChange(folder, await guard.close());
  });
});

describe('all these requests', () => {
  it('gave many answers, so that the agreement says something', () => {
    expect(reasons.size).toBeGreaterThanOrEqual(33);
  });
});
