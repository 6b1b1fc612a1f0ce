/**
 * Composition root: settings in, a running guard out. Throws StartError where the guard cannot start; once it runs, a bad
 * file only keeps the last good.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Log } from './audit/log.js';
import { openCore } from './core.js';
import type { Core } from './core.js';
import { openDoors, openSecrets } from './doors.js';
import type { Doors } from './doors.js';
import { createMemory } from './engine.js';
import type { Memory } from './engine.js';
import type { Attributes } from './model/attributes.js';
import type { Outcome } from './model/decision.js';
import type { OnRevocation } from './model/revocation.js';
import type { Address, Settings } from './model/settings.js';
import { readinessOf } from './readiness.js';
import { createRecorder } from './recorder.js';
import type { Recorder } from './recorder.js';
import { revocationApi } from './revocation-api.js';
import { endsContest, openRevocationDesk } from './revocation-desk.js';
import type { RevocationDesk } from './revocation-desk.js';
import { describe, StartError } from './start-error.js';
import { every, oneAtATime } from './in-turn.js';
import { openTls } from './tls.js';
import type { TlsFiles } from './tls.js';
import { createRemotes } from './state/remote/remotes.js';
import { createRevocations } from './state/revocations.js';
import type { Sources } from './state/sources.js';
import { openStore } from './store.js';
import type { Store } from './store.js';

export { StartError } from './start-error.js';

export interface App {
  /** Where the guard really listens, in the order of the settings. */
  readonly addresses: { readonly check: readonly Address[]; readonly admin: Address | undefined };
  /**
   * SIGHUP: every file is read again, the audit file is opened anew. With other settings everything but the listeners, the
   * store and `audit.to` follows them; rejects with StartError, and keeps the old, where they could not have been started with.
   */
  reload(next?: Settings): Promise<void>;
  /** SIGTERM: answers for `drainDelay`, then closes the listeners and answers what is in flight. */
  stop(): Promise<void>;
}

/** A changed file counts after two polls (contract section 9: within 5 s). */
const POLL_EVERY = 500;
/** Contract section 9: exit within 10 s after the listeners close; the rest is for writing out the records. */
const GRACE = 7000;

/** Hears of each check, after its answer was handed over, with the settings that it was decided by. */
export type OnCheck = (outcome: Outcome, attributes: Attributes | undefined, settings: Settings) => void;

export async function startApp(settings: Settings, log: Log, now: () => number, onCheck?: OnCheck): Promise<App> {
  const onFault = (fault: unknown): void => log.error('a check failed', { fault: describe(fault) });
  const secrets = await openSecrets(settings.listen, now());
  const tls = await openTls(settings.listen, now());
  const house: { desk?: RevocationDesk; memory?: Memory } = {};
  const recorder = openRecorder(settings, log, now, (token) => house.desk?.conflict(token));
  const onRevocation: OnRevocation = (applied) => {
    recorder.onRevocation(applied);
    const token = endsContest(applied);
    if (token !== undefined) house.memory?.release(token, now());
  };
  const store = await openStore(settings, { now, onFault, ...recorder, onRevocation });
  const memory = (house.memory = createMemory(settings, store.presented, createRevocations(store.revocations, now)));
  const { revocations } = memory;
  const { onRevocationProblems: onProblems } = recorder;
  const desk = openRevocationDesk({ revocations, store, onRevocation, onProblems, log, now, onFault });
  house.desk = desk;
  const remotes = createRemotes();
  const open = (next: Settings, when: 'start' | 'reload'): Promise<Core> =>
    openCore(next, when, { memory, desk, remotes, recorder: heardBy(onCheck, recorder, next), now, onFault });
  let core = await open(settings, 'start').catch((error: unknown) => endWith(store, error));
  recorder.observe(core);
  const [inTurn, reloading] = [oneAtATime(), oneAtATime()];
  const follow = ({ sources, identity }: Core): void => {
    const wake = (): void => void inTurn(() => core.takeIn()).catch(onFault);
    sources.onChange(wake);
    identity?.onChange?.(wake);
  };
  follow(core);
  const state: { draining: boolean; doors?: Doors } = { draining: false };
  const poll = (force: boolean): Promise<void> =>
    inTurn(async () => {
      await Promise.all([core.poll(force), desk.poll()]);
      for (const file of secrets.all) {
        if ((await file.poll(now(), force)) === 'refused')
          log.error('a file is not usable, the last good one goes on', { file: file.from, problem: file.problem() });
      }
      await followTls(tls, force, state.doors, { recorder, log, now });
    });
  const stopPolling = every(POLL_EVERY, () => poll(false), onFault);
  const doors = (state.doors = await openDoors(settings.listen, log, {
    handle: (bytes, deadline) => core.handle(bytes, deadline),
    secret: secrets.secret,
    adminToken: secrets.adminToken,
    tls: tls?.current(now()),
    readiness: () => readinessOf(core, { desk, secrets, tls, store, recorder }, state.draining, now()),
    revoke: revocationApi(desk.take, now),
    policy: () => effectivePolicy(core.sources),
    metrics: recorder.metrics,
  }).catch((error: unknown) => {
    stopPolling();
    desk.close();
    core.close();
    return endWith(store, error);
  }));
  for (const warning of settings.warnings) log.warn(warning, {});

  const replace = async (next: Settings): Promise<void> => {
    if (isDeepStrictEqual(next, core.settings)) return;
    // Opened beside the running one: it may wait for somebody else, and meanwhile files are followed as ever.
    const opened = await open(next, 'reload');
    await inTurn(() => {
      const old = core;
      core = opened;
      recorder.observe(core);
      follow(core);
      old.close();
      return Promise.resolve();
    });
    if (!isDeepStrictEqual(atStart(next), atStart(settings)))
      log.warn('listen, store and audit.to count at the next start', {});
  };

  return {
    addresses: { check: doors.listeners.map(({ address }) => address), admin: doors.pages[0]?.address },
    async reload(next) {
      recorder.reopen();
      await poll(true);
      if (next !== undefined) await reloading(() => replace(next));
    },
    async stop() {
      state.draining = true;
      for (const { address, setServing } of doors.listeners) if (address.kind === 'tcp') setServing(false);
      await new Promise((resolve) => setTimeout(resolve, settings.listen.drainDelay));
      await Promise.all(doors.listeners.map((listener) => listener.close(GRACE)));
      stopPolling();
      desk.close();
      core.close();
      await Promise.all(doors.pages.map((page) => page.close()));
      await store.close();
      await recorder.close();
    },
  };
}

/** What a reload leaves as it was opened. */
const atStart = ({ listen, store, audit }: Settings): unknown[] => [listen, store, audit.to];

async function endWith(store: Store, error: unknown): Promise<never> {
  await store.close();
  throw error;
}

function heardBy(onCheck: OnCheck | undefined, recorder: Recorder, settings: Settings): Recorder {
  if (onCheck === undefined) return recorder;
  return {
    ...recorder,
    // It wants the whole outcome of each check.
    onFound: undefined,
    onOutcome(outcome, attributes, microseconds) {
      recorder.onOutcome(outcome, attributes, microseconds);
      onCheck(outcome, attributes, settings);
    },
  };
}

function openRecorder(...parts: Parameters<typeof createRecorder>): Recorder {
  try {
    return createRecorder(...parts);
  } catch (error) {
    throw new StartError(2, [describe(error)]);
  }
}

/** A new certificate is shown to whoever connects from now on. */
async function followTls(
  tls: TlsFiles | undefined,
  force: boolean,
  doors: Doors | undefined,
  { recorder, log, now }: { readonly recorder: Recorder; readonly log: Log; readonly now: () => number },
): Promise<void> {
  if (tls === undefined) return;
  const known = tls.problem();
  await tls.poll(now(), force);
  const [material, problem] = [tls.current(now()), tls.problem()];
  if (problem !== undefined && problem !== known)
    log.error('files of listen.tls are not usable, the last good ones go on', { problem });
  recorder.onOwnCertificate('listen.tls', tls.certificate(), tls.from);
  if (material !== undefined) doors?.renew(material);
}

const effectivePolicy = (sources: Sources): object => {
  const { policy } = sources.snapshot();
  return {
    revision: policy?.revision ?? null,
    owner: policy?.owner ?? null,
    lines: policy?.lines ?? [],
    guardrails: policy?.guardrails ?? [],
  };
};
