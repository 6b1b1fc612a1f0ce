/**
 * The house of the property tests: the product's own story and handler over bytes, at one fixed moment, with everything
 * that it reads given by the test, and everything that it says kept for it. Nothing in it is a fake. It is put together as
 * src/engine.ts does it, but that houses of one cast share what they know of certificates and signatures, so that
 * thousands of them can be built.
 */
import { randomUUID } from 'node:crypto';
import { createCheck } from '../../src/check.js';
import type { Check } from '../../src/check.js';
import type { CheckDependencies } from '../../src/ask.js';
import { readPemChain, readPemText, readSvid } from '../../src/evidence/certificate.js';
import { createHandler } from '../../src/handle.js';
import type { Outcome } from '../../src/model/decision.js';
import type { Attributes } from '../../src/model/attributes.js';
import { reasonOf } from '../../src/audit/record.js';
import type { Policy } from '../../src/model/policy.js';
import type { FindBundle, FindKeys } from '../../src/model/ports.js';
import { isAllow } from '../../src/model/reasons.js';
import type { Reason } from '../../src/model/reasons.js';
import type { PolicySettings, Settings } from '../../src/model/settings.js';
import type { Snapshot } from '../../src/model/snapshot.js';
import { pathVerifier } from '../../src/origin/path-validation.js';
import { verifyTokenSignature } from '../../src/origin/token.js';
import { compilePolicy } from '../../src/policy/compile.js';
import { rememberAuthorities } from '../../src/state/authorities.js';
import { createCertificates } from '../../src/state/certificates.js';
import { createDecisionCache } from '../../src/state/decision-cache.js';
import { createPresented } from '../../src/state/pins.js';
import { createRevocations } from '../../src/state/revocations.js';
import type { Revocations } from '../../src/state/revocations.js';
import { createTokens } from '../../src/state/tokens.js';
import { readJwks } from '../../src/state/jwks.js';
import { elementOf } from '../helpers/check-request.js';
import { makeCa } from '../helpers/pki.js';
import type { SvidOptions, TestCa, TestSvid } from '../helpers/pki.js';
import { settingsFrom } from '../helpers/settings.js';
import { makeIssuer } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';
import { decodeAnswer } from '../wire/answers.js';
import type { DecodedAnswer } from '../wire/answers.js';

export const NOW = Date.UTC(2026, 5, 1, 12);
const HOUR = 3_600_000;
const DATES = { notBefore: new Date(NOW - HOUR), notAfter: new Date(NOW + HOUR) };

export const prod = (name: string): string => `spiffe://prod.example/ns/${name}`;

/** Everything that is signed, once for a file. */
export interface Cast {
  readonly root: TestCa;
  readonly partnerRoot: TestCa;
  readonly frontend: TestSvid;
  readonly batch: TestSvid;
  readonly thief: TestSvid;
  readonly gateway: TestSvid;
  readonly inner: TestSvid;
  readonly partner: TestSvid;
  /** The frontend's name, signed by a CA that has the root's name and another key. */
  readonly rogue: TestSvid;
  readonly idp: TestIssuer;
  /** Its tokens come in x-token, and are pinned. */
  readonly second: TestIssuer;
  readonly findKeys: FindKeys;
  readonly findBundle: FindBundle;
  readonly memory: Pick<CheckDependencies, 'verifyCertificate' | 'verifyTokenSignature'>;
}

const memoryOf = (): Cast['memory'] => {
  const readPem = ({ encoding, text }: { encoding: string; text: string }): readonly Uint8Array[] | string => {
    const chain = encoding === 'percent' ? readPemChain(text) : readPemText(text);
    return chain.ok ? chain.certificates : chain.problem;
  };
  const certificates = createCertificates({ readPem, readSvid, verifyPath: pathVerifier(rememberAuthorities()) });
  return {
    verifyCertificate: certificates.verify,
    verifyTokenSignature: createTokens(verifyTokenSignature, 5000).verify,
  };
};

export async function makeCast(): Promise<Cast> {
  const clock = { now: () => NOW };
  const [root, partnerRoot, rogueRoot, idp, second] = await Promise.all([
    makeCa({ name: 'Root', ...DATES }),
    makeCa({ name: 'Partner Root', trustDomain: 'partner.example', ...DATES }),
    makeCa({ name: 'Root', ...DATES }),
    makeIssuer(clock),
    makeIssuer({ issuer: 'https://second.prod.example', kid: 'second-1', ...clock }),
  ]);
  const svid = (name: string, ca = root, options: SvidOptions = {}): Promise<TestSvid> =>
    ca.issue({ id: name.startsWith('spiffe:') ? name : prod(name), ...DATES, ...options });
  const [frontend, batch, thief, gateway, inner, partner, rogue] = await Promise.all([
    svid('shop/sa/frontend'),
    svid('shop/sa/batch'),
    svid('shop/sa/thief'),
    svid('edge/sa/gateway'),
    svid('edge/sa/inner'),
    svid('spiffe://partner.example/ns/shop/sa/reporter', partnerRoot),
    svid('shop/sa/frontend', rogueRoot),
  ]);
  const keys = new Map(
    await Promise.all([idp, second].map(async (issuer) => [issuer.issuer, await keysOf(issuer)] as const)),
  );
  const anchors = new Map([
    ['prod.example', [root.der]],
    ['partner.example', [partnerRoot.der]],
  ]);
  return {
    ...{ root, partnerRoot, frontend, batch, thief, gateway, inner, partner, rogue, idp, second },
    memory: memoryOf(),
    findKeys: ({ issuer }) => keys.get(issuer) ?? 'unavailable',
    findBundle: (domain) => {
      const own = anchors.get(domain);
      return own === undefined ? 'unknown' : { anchors: own, intermediates: [] };
    },
  };
}

async function keysOf({ jwks }: TestIssuer) {
  const read = await readJwks(JSON.stringify(jwks));
  if (!read.ok) throw new Error(read.problem);
  return read.keys;
}

export const GATEWAY = prod('edge/sa/gateway');
export const INNER = prod('edge/sa/inner');

export const CONFIG = `
listen: { check: unix:check.sock, admin: off }
trust:
  prod.example: { bundle: prod.pem, environment: prod }
  partner.example: { bundle: partner.pem, environment: partner, ceiling: { scopes: [catalog.*], data: internal } }
origin:
  forwarders:
    - { id: ${GATEWAY}, origins: ["spiffe://prod.example/**", "spiffe://partner.example/**"] }
    - { id: ${INNER}, origins: ["spiffe://prod.example/**"], behind: [${GATEWAY}] }
tokens:
  - { issuer: https://idp.prod.example, keys: idp.json, audiences: [orders], grants: ["**"] }
  - { issuer: https://second.prod.example, keys: second.json, audiences: [orders], grants: ["**"], from: header:x-token, binding: pin }
policy: { scopes: scopes, ownersMay: [workload, anyone] }
cache: { entries: 20, pins: 20 }
`;

export interface HouseOptions {
  readonly lines: string;
  readonly guardrails?: string;
  readonly settings?: Settings;
  readonly snapshot?: Partial<Snapshot>;
  /** Parts of the story that the test has made itself. */
  readonly parts?: Partial<CheckDependencies>;
}

export interface Said {
  readonly answer: DecodedAnswer;
  readonly outcome: Outcome;
  readonly reason: Reason;
  readonly allowed: boolean;
}

export interface House {
  readonly check: Check;
  readonly revocations: Revocations;
  ask(bytes: Uint8Array): Promise<Said>;
  readonly faults: readonly unknown[];
}

export const SETTINGS: Settings = settingsFrom(CONFIG);

/** A policy is compiled with guardrails as the operator would have set them. */
export function policyOf(
  lines: string,
  guardrails = '',
  ownersMay: PolicySettings['ownersMay'] = ['workload', 'anyone'],
): Policy {
  const compiled = compilePolicy({ kind: 'scopes', text: lines }, { guardrails, ownersMay });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
  return compiled.policy;
}

export function snapshotOf({ findKeys, findBundle }: Cast, lines: string, guardrails = ''): Snapshot {
  return {
    policy: policyOf(lines, guardrails),
    policyStale: false,
    findBundle,
    findKeys,
    candidate: undefined,
    versions: { policy: '1', candidate: '', trust: '1', keys: '1' },
  };
}

let loads = 1;

/** A new house for each question forgets everything; one that is kept remembers. */
export function houseOf(
  cast: Cast,
  { lines, guardrails, settings = SETTINGS, snapshot = {}, parts = {} }: HouseOptions,
): House {
  const faults: unknown[] = [];
  const onFault = (fault: unknown): void => void faults.push(fault);
  const loaded = snapshotOf(cast, lines, guardrails);
  const whole: { -readonly [Key in keyof Snapshot]: Snapshot[Key] } = { ...loaded, ...snapshot };
  if (snapshot.findBundle !== undefined || snapshot.findKeys !== undefined) {
    const version = String((loads += 1));
    whole.versions = { ...whole.versions, trust: version, keys: version };
  }
  const revocations = createRevocations();
  const check = createCheck({
    ...{ settings, snapshot: () => whole, ...cast.memory, onFault, isRevoked: revocations.isRevoked, now: () => NOW },
    ...createPresented(settings.cache.pins),
    cache: createDecisionCache(settings.cache.entries, settings.cache.maxAge),
    newId: randomUUID,
    ...parts,
  });
  return { check, revocations, faults, ask: (bytes) => askThrough(check, settings, bytes, onFault) };
}

/** Through the handler, so that the answer is what Envoy would see; the outcome is what the record would be made from. */
async function askThrough(
  check: Check,
  settings: Settings,
  bytes: Uint8Array,
  onFault: (fault: unknown) => void,
): Promise<Said> {
  const told: { outcome: Outcome; attributes: Attributes | undefined }[] = [];
  let recorded = (): void => undefined;
  const record = new Promise<void>((resolve) => (recorded = resolve));
  const handle = createHandler({
    check,
    settings,
    mayAnswer: () => true,
    onOutcome: (outcome, attributes) => {
      told.push({ outcome, attributes });
      recorded();
    },
    onFault,
  });
  const answer = decodeAnswer(await handle(bytes, undefined));
  await record;
  const [first, second] = told;
  if (first === undefined || second !== undefined) throw new Error(`${String(told.length)} outcomes for one check`);
  const reason = reasonOf(first.outcome);
  // What Envoy takes for an OK, and not what we meant.
  const allowed = answer.code === 0 || answer.code === undefined || answer.http_response === undefined;
  if (allowed !== isAllow(reason)) throw new Error(`the answer says ${String(answer.code)}, the record ${reason}`);
  return { answer, outcome: first.outcome, reason, allowed };
}

/** Hops from the origin to the peer; each but the first wrote an element about the one before. */
export const elementsThrough = (hops: readonly TestSvid[], about = ''): readonly string[] =>
  hops.slice(0, -1).map((hop, index) => elementOf(hops[index + 1]?.id ?? '', hop, index === 0 ? about : ''));

export const boundTo = ({ sha256 }: Pick<TestSvid, 'sha256'>): Record<string, unknown> => ({
  cnf: { 'x5t#S256': Buffer.from(sha256, 'hex').toString('base64url') },
});
