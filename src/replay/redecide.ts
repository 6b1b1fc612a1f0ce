/**
 * A recorded check, decided again by the same steps that `serve` runs, at the moment it was recorded. In: the record, the
 * config. Out: the answer that config gives, or what keeps it from being known. The words of the record count for what
 * only keys, bundles, pins and revocations could say; where it has no word on something that the config asks about, the
 * check is undecidable. Does NOT read a key, a bundle or a revocation.
 */
import { createCheck } from '../check.js';
import type { CheckDependencies } from '../ask.js';
import { certificateReaders } from '../engine.js';
import type { CertificateFacts } from '../model/evidence.js';
import type { Pins, Uses, VerificationKey, VerifyPath } from '../model/ports.js';
import { ok, refuse } from '../model/result.js';
import type { Reason } from '../model/reasons.js';
import type { Refusal, Result } from '../model/result.js';
import type { Snapshot } from '../model/snapshot.js';
import { verifyTokenSignature } from '../origin/token.js';
import { reasonOf, shadowReason } from '../audit/record.js';
import { createCertificates } from '../state/certificates.js';
import type { DecisionCache } from '../state/decision-cache.js';
import { ANY_CERTIFICATE } from './reduce.js';
import type { RecordedCheck } from './recorded.js';
import { attributesOf } from './stand-in.js';
import type { Against, Replayed, Told } from './told.js';
import { same } from './told.js';

type Need = (what: string) => void;

export async function redecide(record: RecordedCheck, against: Against): Promise<Replayed> {
  const needs: string[] = [];
  const need: Need = (what) => void needs.push(what);
  const attributes = attributesOf(record);
  const outcome = await createCheck(worldOf(record, against, need))(ok(attributes), undefined);
  const { line } = outcome.findings.route ?? {};
  const decision = outcome.verdict.kind === 'deny' ? 'deny' : 'allow';
  const now: Told = { decision, reason: reasonOf(outcome), shadow: shadowReason(outcome) };
  const refused = outcome.verdict.kind === 'allow' ? undefined : outcome.verdict.refusal.reason;
  if (refused === 'token_missing' && unknownPlaces(record, against).length > 0)
    need(`tokens in ${unknownPlaces(record, against).join(', ')} were not recorded`);
  const [why] = needs;
  // The same word again was said by a step that came before, or by what was recorded: it needs nothing.
  if (why === undefined || same(now, toldIn(record))) return { kind: 'decided', now, line };
  return { kind: 'undecidable', why, atBest: now, line };
}

export const toldIn = ({ decision, reason, shadow }: Pick<RecordedCheck, 'decision' | 'reason' | 'shadow'>): Told => ({
  decision,
  reason,
  shadow,
});

const unknownPlaces = ({ tokens }: RecordedCheck, { settings }: Against): string[] => [
  ...new Set(settings.tokens.map(({ from }) => from).filter((from) => !tokens.some(({ place }) => place === from))),
];

function worldOf(record: RecordedCheck, against: Against, need: Need): CheckDependencies {
  const { settings } = against;
  const snapshot: Snapshot = {
    ...against.snapshot,
    candidate: undefined,
    findBundle: (domain) => (settings.trust.has(domain) ? { anchors: [], intermediates: [] } : 'unknown'),
    findKeys: () => keysOf(record, need),
  };
  return {
    settings,
    snapshot: () => snapshot,
    verifyCertificate: createCertificates(certificateReaders(recordedPath(record, need))).verify,
    verifyTokenSignature: (current) => (token, issuers) => verifyTokenSignature(token, issuers, current.findKeys),
    pins: recordedPins(record, need),
    uses: recordedUses(record, need),
    writeClaims: () => recordedClaims(record, need),
    contestPin: () => ok(undefined),
    isRevoked: ({ token }) => recorded(record, token === undefined ? OF_CALLERS : [...OF_CALLERS, ...OF_TOKENS], need),
    cache: forgetful,
    now: () => Date.parse(record.time),
    newId: () => record.id,
    onFault: (fault) => {
      throw fault;
    },
  };
}

/** What was refused then, in either mode; of a guardrail's refusal what failed, where the record says so. */
const refusedFor = ({ decision, reason, shadow, cause }: RecordedCheck): Reason | undefined =>
  cause ?? shadow ?? (decision === 'deny' ? reason : undefined);

/** The recorded refusal where it is one of these, else no objection; unless nobody knows what it was. */
function recorded(record: RecordedCheck, reasons: readonly Reason[], need: Need): Result<void> {
  const reason = refusedFor(record);
  if (reason === 'guardrail') need('the record does not say what the guardrail refused');
  return reason !== undefined && reasons.includes(reason) ? asRecorded(reason) : ok(undefined);
}

const asRecorded = (reason: Reason): Refusal => refuse(reason, 'as recorded');

const OF_CALLERS: readonly Reason[] = ['identity_revoked', 'certificate_revoked', 'revocation_stale'];
const OF_TOKENS: readonly Reason[] = ['token_revoked', 'transaction_revoked'];
const OF_CERTIFICATES: readonly Reason[] = [
  'peer_certificate_invalid',
  'peer_untrusted',
  'peer_expired',
  'bundle_unavailable',
  'origin_certificate_invalid',
];

const recordedPath =
  (record: RecordedCheck, need: Need): VerifyPath =>
  (leaf: CertificateFacts) => {
    const { certificates } = record.verified;
    const found = certificates.includes(leaf.sha256) || certificates.includes(ANY_CERTIFICATE);
    const word = found ? ok(undefined) : recorded(record, OF_CERTIFICATES, need);
    if (!word.ok) return word;
    if (!found) need('a certificate was not verified when this was recorded');
    return ok([{ from: -Infinity, until: Infinity }]);
  };

function keysOf(record: RecordedCheck, need: Need): ReadonlyMap<string, VerificationKey> {
  const [kid] = record.tokens.flatMap(({ read }) => (read.as === 'token' ? [read.header.kid ?? ''] : []));
  const { token } = record.verified;
  if (kid === undefined || token === 'key unknown') return new Map();
  if (token === 'not looked at') need('its token was not verified when this was recorded');
  const verify = (): boolean => token !== 'bad signature';
  return new Map([[kid, { kid, fits: () => true, verify }]]);
}

const recordedPins = (record: RecordedCheck, need: Need): Pins => ({
  peek: () => 'unknown',
  compare: () => recorded(record, ['token_presenter_changed', 'store_unavailable'], need),
  pinned: () => undefined,
});

const recordedUses = (record: RecordedCheck, need: Need): Uses => ({
  unused: () => recorded(record, ['token_replayed', 'store_unavailable'], need),
});

function recordedClaims(record: RecordedCheck, need: Need): Result<'known'> {
  const word = recorded(record, ['token_presenter_changed', 'token_replayed', 'store_unavailable'], need);
  return word.ok ? ok('known') : word;
}

const forgetful: DecisionCache = {
  find: () => undefined,
  store: () => undefined,
  clear: () => undefined,
  size: () => 0,
};
