/**
 * The engine: everything that decides, with its memory, around a source of snapshots. `serve`, the tests and the benchmarks
 * run this one.
 */
import { randomUUID } from 'node:crypto';
import type { CheckDependencies } from './ask.js';
import { createCheck } from './check.js';
import type { Check } from './check.js';
import { readPemChain, readPemText, readSvid } from './evidence/certificate.js';
import { readForwarded } from './evidence/forwarded.js';
import type { Policy, PolicyIssue } from './model/policy.js';
import type { VerifyPath } from './model/ports.js';
import type { Settings } from './model/settings.js';
import type { Snapshot } from './model/snapshot.js';
import { pathVerifier } from './origin/path-validation.js';
import { verifyTokenSignature } from './origin/token.js';
import { checkGuardrails, compilePolicy } from './policy/compile.js';
import type { PolicySource } from './policy/compile.js';
import { sharingTexts } from './shared-tokens.js';
import { rememberAuthorities } from './state/authorities.js';
import { createCertificates } from './state/certificates.js';
import type { CertificateReaders } from './state/certificates.js';
import { watchClock } from './state/clock.js';
import { createDecisionCache } from './state/decision-cache.js';
import { readJwks } from './state/jwks.js';
import { createPresented } from './state/pins.js';
import type { Presented } from './state/pins.js';
import { rememberTexts } from './state/remembered.js';
import { createRevocations } from './state/revocations.js';
import type { Revocations } from './state/revocations.js';
import { createSharedTexts } from './state/shared-texts.js';
import type { Parsed } from './state/source.js';
import type { Readers } from './state/sources.js';
import { createTokens } from './state/tokens.js';
import { createTurns } from './state/turns.js';
import { readBundleContents, readIntermediates } from './state/trust-bundle.js';

export { checkGuardrails };

export interface Engine extends Memory {
  readonly check: Check;
  /** What the check is made of, for whoever finds its decisions by another way. */
  readonly parts: CheckDependencies;
  readonly sizes: () => ReadonlyMap<string, number>;
}

/** What must outlive a reload of the configuration. */
export interface Memory extends Presented {
  readonly revocations: Revocations;
}

export const createMemory = (
  { cache }: Pick<Settings, 'cache'>,
  presented: Presented = createPresented(cache.pins),
  revocations: Revocations = createRevocations(),
): Memory => ({
  ...presented,
  revocations,
});

/** Verified tokens that are remembered beside the decisions; each holds its text and claims, some KiB. */
const MAX_TOKENS = 10_000;

export interface EngineOptions {
  readonly settings: Settings;
  readonly memory?: Memory;
  readonly snapshot: () => Snapshot;
  readonly now: () => number;
  readonly onFault: (fault: unknown) => void;
  readonly onClockStep?: () => void;
  readonly onFallen?: CheckDependencies['onFallen'];
  /** For the tests that take a part away. */
  readonly without?: Partial<Pick<CheckDependencies, 'keyParts' | 'deaf' | 'cache'>>;
}

export function createEngine(options: EngineOptions): Engine {
  const { settings, snapshot, now, onFault, onClockStep, onFallen, without } = options;
  const { memory = createMemory(settings) } = options;
  const turns = createTurns();
  const certificates = createCertificates(certificateReaders(pathVerifier(rememberAuthorities())), turns);
  const verify = sharingTexts(verifyTokenSignature, createSharedTexts());
  const tokens = createTokens(verify, Math.min(settings.cache.entries, MAX_TOKENS), turns);
  const cache = without?.cache ?? createDecisionCache(settings.cache.entries, settings.cache.maxAge);
  const isStale = (at: number): boolean => memory.revocations.silence(at) > settings.revocation.maxStaleness;
  const parts: CheckDependencies = {
    settings,
    snapshot,
    verifyCertificate: certificates.verify,
    verifyTokenSignature: tokens.verify,
    readForwarded: rememberTexts(readForwarded),
    turns,
    pins: memory.pins,
    uses: memory.uses,
    writeClaims: memory.writeClaims,
    contestPin: memory.contestPin,
    isRevoked: memory.revocations.isRevoked,
    standing: (at) => (isStale(at) ? NaN : memory.revocations.standing(at)),
    revocationsStale: isStale,
    cache,
    now: watchClock(now, () => {
      cache.clear();
      onClockStep?.();
    }),
    newId: randomUUID,
    ...(onFallen && { onFallen }),
    onFault,
    ...without,
  };
  const sizes = (): ReadonlyMap<string, number> =>
    new Map([
      ['decisions', cache.size()],
      ['tokens', tokens.size()],
      ['certificates', certificates.size()],
    ]);
  return { ...memory, check: createCheck(parts), parts, sizes };
}

/** How certificates are read before a path is looked for. */
export const certificateReaders = (verifyPath: VerifyPath): CertificateReaders => ({
  readPem: ({ encoding, text }) => {
    const chain = encoding === 'percent' ? readPemChain(text) : readPemText(text);
    return chain.ok ? chain.certificates : chain.problem;
  },
  readSvid,
  verifyPath,
});

/** Of a policy that is wrong in many places the first ones are told. */
const MAX_ISSUES = 20;

const issueText = ({ line, column, message, hint }: PolicyIssue): string =>
  `${line}:${column}: ${message}${hint === undefined ? '' : ` (${hint})`}`;

/** How each kind of file is read. */
export function readersFor({ policy }: Pick<Settings, 'policy'>): Readers {
  const compile = (source: PolicySource): Parsed<Policy> => {
    const compiled = compilePolicy(source, policy);
    if (compiled.ok) return { ok: true, value: compiled.policy };
    return { ok: false, problem: compiled.issues.slice(0, MAX_ISSUES).map(issueText).join('; ') };
  };
  return {
    policy: (text) => compile({ kind: policy.source.kind, text }),
    candidate: (text, data) => compile({ kind: 'scopes', text, data }),
    bundle: readBundleContents,
    intermediates: (text) => {
      const read = readIntermediates(text);
      return read.ok ? { ok: true, value: read.intermediates } : read;
    },
    keys: async (text) => {
      const read = await readJwks(text);
      return read.ok ? { ok: true, value: read.keys } : read;
    },
  };
}
