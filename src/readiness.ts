/** What `/readyz` says: whether the guard can decide, what is wrong, and how old keys and bundles are. */
import type { Readiness } from './admin/routes.js';
import type { Core } from './core.js';
import type { Secrets } from './doors.js';
import type { Recorder } from './recorder.js';
import type { RevocationDesk } from './revocation-desk.js';
import type { Store } from './store.js';
import type { TlsFiles } from './tls.js';

/** What the guard has besides its core. */
export interface Around {
  readonly desk: Pick<RevocationDesk, 'problem'>;
  readonly secrets: Secrets;
  readonly tls: TlsFiles | undefined;
  readonly store: Store;
  readonly recorder: Recorder;
}

/** Not ready is who has no good files or keys, goes away, or denies everything because records can't be written. */
export function readinessOf(
  { sources, identity }: Core,
  { desk, secrets, tls, store, recorder }: Around,
  draining: boolean,
  now: number,
): Readiness {
  const others: [string, string | undefined][] = [
    ['revocations', desk.problem(now)],
    ['identity', identity?.problem()],
    ['listen.tls', tls?.problem()],
    ['store', store.problem()],
    ['audit', recorder.failing() ? 'records can not be written' : undefined],
    ...secrets.all.map((each): [string, string | undefined] => [`file ${each.from}`, each.problem()]),
  ];
  const problems = Object.fromEntries([
    ...sources.problems(),
    ...others.filter(([, problem]) => problem !== undefined),
  ]);
  const { bundles, keys } = sources.ages(now);
  return {
    ready: sources.complete() && !draining && recorder.mayAnswer(),
    detail: {
      draining,
      problems,
      policy: sources.snapshot().policy?.revision ?? null,
      keys_age_seconds: inSeconds(keys),
      bundle_age_seconds: inSeconds(bundles),
    },
  };
}

/** null: there were none yet. */
const inSeconds = (ages: ReadonlyMap<string, number>): Readonly<Record<string, number | null>> =>
  Object.fromEntries([...ages].map(([name, ms]) => [name, Number.isFinite(ms) ? Math.round(ms / 1000) : null]));
