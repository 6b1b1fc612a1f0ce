/**
 * What is told about the guard's work: audit records, events, metrics. In: outcomes and changes. Decides nothing, except
 * what a check gets while records can't be written (`audit.onFailure`).
 */
import { eventRecord } from './audit/events.js';
import type { EventFields, EventName } from './audit/events.js';
import type { Log } from './audit/log.js';
import { createMetrics } from './audit/metrics.js';
import { decisionRecord, leavesRecord, reasonOf, shadowReason } from './audit/record.js';
import { requestFacts } from './audit/request-facts.js';
import { openSink } from './audit/sink.js';
import { createCertificateTeller } from './certificate-teller.js';
import type { OwnCertificate, TrustedRoots } from './certificate-teller.js';
import { packageVersion } from './version.js';
import type { Engine } from './engine.js';
import type { OnOutcome } from './handle.js';
import type { Found } from './quick/found.js';
import type { Attributes } from './model/attributes.js';
import type { Outcome } from './model/decision.js';
import type { CertificateFacts } from './model/evidence.js';
import type { TokenName, TrustDomain } from './model/ids.js';
import type { Pinned } from './model/pin.js';
import type { RevocableNames } from './model/ports.js';
import type { OnRevocation } from './model/revocation.js';
import type { Settings } from './model/settings.js';
import { pinName } from './origin/presenter.js';
import { createRevocationTeller } from './revocation-teller.js';
import type { KnownCertificate } from './state/seen-certificates.js';
import type { OnSource, Sources } from './state/sources.js';

export interface Recorder {
  readonly onOutcome: OnOutcome;
  /** The same for a check that was decided before, without looking at more than has to be told; undefined: `onOutcome`. */
  readonly onFound: ((found: Found) => void) | undefined;
  readonly onSource: OnSource;
  /** Our own certificate, as it is now; told again and again. `from`: where it is from. */
  readonly onOwnCertificate: (what: OwnCertificate, facts: KnownCertificate | undefined, from: string) => void;
  /** The roots that are trusted now, likewise. */
  readonly onRoots: (bundles: ReadonlyMap<TrustDomain, TrustedRoots>) => void;
  readonly onClockStep: () => void;
  readonly onRevocation: OnRevocation;
  /** A decision that was remembered is refused by a revocation. */
  readonly onFallen: (names: RevocableNames, now: number) => void;
  readonly onRevocationProblems: (problems: readonly string[]) => void;
  /** Undefined where the shared store answers (again). */
  readonly onStore: (problem: string | undefined) => void;
  readonly onStoreWarning: (warning: string) => void;
  /** False where a check must be denied because its record could not be written. */
  readonly mayAnswer: () => boolean;
  /** What the gauges are read from and how records are written, from now on; `audit.to` stays as it was opened. */
  observe(observed: Observed): void;
  readonly metrics: () => Promise<string>;
  readonly failing: () => boolean;
  reopen(): void;
  close(): Promise<void>;
}

export interface Observed {
  readonly settings: Settings;
  readonly engine: Engine;
  readonly sources: Sources;
}

/** Records that wait for a slow disk; beyond, they are dropped and counted. Bytes. */
const MAX_BUFFER = 8 * 1024 * 1024;

/** `onConflict`: presenters of a token differ, and it was refused. Throws one sentence where the audit output cannot be opened. */
export function createRecorder(
  settings: Settings,
  log: Log,
  now: () => number,
  onConflict: (token: TokenName) => void = () => undefined,
): Recorder {
  let observed: Observed | undefined;
  let storeUp: 0 | 1 | undefined;
  const current = (): Settings => observed?.settings ?? settings;
  const seconds = (ages: ReadonlyMap<string, number> | undefined): [string, number][] =>
    [...(ages ?? [])].map(([name, ms]) => [name, ms / 1000]);
  const metrics = createMetrics({
    build: { version: packageVersion(), node: process.version },
    cacheEntries: () => observed?.engine.sizes() ?? [],
    keysAge: () => seconds(observed?.sources.ages(now()).keys),
    bundleAge: () => seconds(observed?.sources.ages(now()).bundles),
    certificateExpiry: () => [...certificates.ends()].map(([name, end]) => [name, (end - now()) / 1000]),
    revocations: () => observed?.engine.revocations.inForce(now()) ?? [],
    revocationSilence: () =>
      storeUp === undefined ? [] : [['redis', (observed?.engine.revocations.silence(now()) ?? Infinity) / 1000]],
    pins: () => observed?.engine.pins.size() ?? 0,
    storeUp: () => (storeUp === undefined ? [] : [['redis', storeUp]]),
  });
  const sink = openSink(settings.audit.to, {
    maxBuffer: MAX_BUFFER,
    onDropped: metrics.auditDropped,
    onReopenFailed: ({ message }) =>
      log.error('the audit file can not be opened anew, the old one goes on', { error: message }),
    onFailing: (failing, error) => {
      if (!failing) return log.info('audit records are written again', {});
      log.error('audit records can not be written', { error: error?.message ?? 'the buffer is full' });
      metrics.incident('audit_failed');
      event('audit_failed', { detail: error?.message ?? 'the buffer is full' });
    },
  });
  const write = <E extends EventName>(name: E, fields: EventFields<E>, when: 'soon' | 'now'): void => {
    metrics.happened(name);
    sink.write(JSON.stringify(eventRecord(name, fields, now())), when);
  };
  /** Rare, and somebody may be waiting for it. */
  const event = <E extends EventName>(name: E, fields: EventFields<E>): void => write(name, fields, 'now');
  // Of these there may be as many as there are callers.
  const certificates = createCertificateTeller((name, fields) => write(name, fields, 'soon'));
  const revocations = createRevocationTeller(event, metrics, () => observed?.engine.revocations);
  const recordOf = (outcome: Outcome, attributes: Attributes | undefined, microseconds: number): string => {
    const { audit, environment } = current();
    const facts = attributes && requestFacts(attributes);
    return JSON.stringify(decisionRecord(outcome, facts, { path: audit.path, environment }, microseconds));
  };

  const certificate = (facts: CertificateFacts | undefined, { time }: Outcome): void => {
    if (facts !== undefined) certificates.peer(facts, time);
  };

  const pinConflict = ({ findings, id, time, guard }: Outcome): void => {
    const { token, origin } = findings;
    metrics.incident('pin_conflict');
    if (token === undefined || origin?.kind !== 'workload') return;
    const pinned = observed?.engine.pins.pinned(pinName(token, guard), time);
    event('pin_conflict', {
      id,
      token: token.name,
      issuer: token.issuer.issuer,
      origin: origin.id,
      ...(token.jti === undefined ? {} : { jti: token.jti }),
      ...(origin.sha256 === undefined ? {} : { certificate: origin.sha256 }),
      ...(pinned === undefined ? {} : firstPresentation(pinned)),
    });
  };

  /** A bearer token that travels for long before anybody uses it may have been collected. */
  const suspect = ({ findings, id, time, cache }: Outcome): void => {
    const { token, origin, pinnedNow } = findings;
    if (token === undefined || origin?.kind !== 'workload' || pinnedNow === undefined || cache === 'hit') return;
    const { suspectAfter } = token.issuer;
    if (suspectAfter === null || time - token.issuedAt <= suspectAfter) return;
    metrics.incident('token_suspect');
    event('token_suspect', {
      id,
      token: token.name,
      issuer: token.issuer.issuer,
      origin: origin.id,
      issued_at: token.issuedAt,
      ...(token.jti === undefined ? {} : { jti: token.jti }),
    });
  };

  /** What does not depend on the moment or the request. */
  const count = (outcome: Outcome, microseconds: number): void => {
    const reason = reasonOf(outcome);
    metrics.checked(reason, microseconds / 1e6);
    if (outcome.mode !== 'enforce')
      metrics.shadowed(outcome.mode === 'shadow' ? 'mode' : 'owner', shadowReason(outcome) ?? reason);
    if (outcome.candidate !== undefined) metrics.shadowed('candidate', outcome.candidate.reason);
    metrics.cacheLookup('decisions', outcome.cache);
  };
  const shown = (outcome: Outcome): void => {
    const { peer, origin } = outcome.findings;
    certificate(peer?.certificate, outcome);
    if (origin?.kind === 'workload' && origin.certificate !== peer?.certificate)
      certificate(origin.certificate, outcome);
  };
  /** What can not be joined for whatever reason is made as ever: no check may go without its record. */
  const joined = (found: Found): string | undefined => {
    try {
      return found.line();
    } catch (fault) {
      log.error('a record could not be joined', { fault: String(fault) });
      return undefined;
    }
  };
  const isRecorded = (outcome: Outcome): boolean => leavesRecord(outcome, current().audit.allowedShare, Math.random());

  return {
    onOutcome(outcome, attributes, microseconds) {
      count(outcome, microseconds);
      shown(outcome);
      if (isRecorded(outcome)) sink.write(recordOf(outcome, attributes, microseconds));
      suspect(outcome);
      const judged = shadowReason(outcome) ?? reasonOf(outcome);
      if (judged === 'token_presenter_changed') pinConflict(outcome);
      const { token } = outcome.findings;
      if (reasonOf(outcome) === 'token_presenter_changed' && token !== undefined) onConflict(token.name);
      revocations.onOutcome(outcome);
      if (judged === 'token_replayed') metrics.incident('token_replayed');
    },
    onFound(found) {
      const { settled, microseconds } = found;
      count(settled.outcome, microseconds);
      // What was seen of a caller within the same second is no news.
      if (settled.isNewAt(found.time)) shown(found.outcome);
      if (isRecorded(settled.outcome))
        sink.write(joined(found) ?? recordOf(found.outcome, found.attributes, microseconds));
    },
    onSource(name, { from, name: what, problem, loaded, added, removed }) {
      const heading = loaded ? 'a source is not usable, the last good value goes on' : 'a source has no usable value';
      if (problem !== undefined) log.error(heading, { source: from, problem });
      const [policy] = added;
      switch (name) {
        case 'policy_loaded':
          metrics.policyReloaded('loaded');
          return event('policy_loaded', { source: from, ...(policy === undefined ? {} : { policy }) });
        case 'policy_refused':
          metrics.policyReloaded('refused');
          return event('policy_refused', { source: from, detail: problem ?? '' });
        case 'bundle_changed':
          return event('bundle_changed', { trust_domain: what, source: from, added, removed });
        case 'keys_changed':
          return event('keys_changed', { issuer: what, source: from, added, removed });
        case 'bundle_refused':
          return event('bundle_refused', { trust_domain: what, source: from, detail: problem ?? '' });
        case 'keys_refused':
          return event('keys_refused', { issuer: what, source: from, detail: problem ?? '' });
        case 'source_recovered':
          return log.info('a source is usable again', { source: from });
      }
    },
    onOwnCertificate: (what, facts, from) => certificates.own(what, facts, from, now()),
    onRoots: (bundles) => certificates.roots(bundles, now()),
    onClockStep() {
      metrics.incident('clock_stepped_back');
      log.warn('the clock stepped back, the caches were emptied', {});
    },
    onRevocation: (applied) => revocations.onRevocation(applied, now()),
    onFallen: revocations.onFallen,
    onRevocationProblems: (problems) => log.error('lines of the revocation file are not usable', { problems }),
    onStore(problem) {
      const lost = problem !== undefined;
      storeUp = lost ? 0 : 1;
      if (!lost) {
        log.info('the store answers', {});
        return event('store_recovered', {});
      }
      log.error('the store does not answer: what needs it is refused', { problem });
      metrics.incident('store_lost');
      event('store_lost', { detail: problem });
    },
    onStoreWarning: (warning) => log.warn(warning, {}),
    mayAnswer: () => current().audit.onFailure === 'allow' || !sink.failing(),
    observe: (next) => void (observed = next),
    metrics: metrics.render,
    failing: sink.failing,
    reopen: sink.reopen,
    close: sink.close,
  };
}

const firstPresentation = ({ first, contestedBy }: Pinned): EventFields<'pin_conflict'> => ({
  first_presenter: first.presenter.id,
  first_seen: first.at,
  first_chain: first.chain,
  ...(first.presenter.key === undefined ? {} : { first_key: first.presenter.key }),
  ...(first.environment === null ? {} : { first_environment: first.environment }),
  ...(contestedBy === undefined ? {} : { contested_by: contestedBy.id }),
});
