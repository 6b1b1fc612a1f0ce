/**
 * Composition root: settings in, a running guard out. The only place that constructs stores and listeners.
 * Throws StartError where the guard cannot start; once it runs, a bad file only keeps the last good.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { startHttpListener } from './admin/http.js';
import type { AdminSources, HttpListener } from './admin/http.js';
import { createRecorder } from './recorder.js';
import type { Recorder } from './recorder.js';
import type { Log } from './audit/log.js';
import { createEngine, createMemory, readersFor } from './engine.js';
import type { Engine, Memory } from './engine.js';
import { createHandler } from './handle.js';
import type { Handle } from './handle.js';
import type { Address, ListenSettings, Settings } from './model/settings.js';
import { followRevocations } from './state/revocation-file.js';
import { openSources, POLICY } from './state/sources.js';
import type { OnSource, Sources } from './state/sources.js';
import { watchFile } from './state/watched-file.js';
import type { WatchedFile } from './state/watched-file.js';
import { startGrpcListener } from './wire/grpc-server.js';
import type { Listener } from './wire/grpc-server.js';

/** Exit code 2: a bad configuration or a file that it names; 3: an address that cannot be listened on. */
export class StartError extends Error {
  constructor(
    readonly exitCode: 2 | 3,
    readonly problems: readonly string[],
  ) {
    super(problems.join('\n'));
  }
}

export interface App {
  /** Where the guard really listens, in the order of the settings. */
  readonly addresses: { readonly check: readonly Address[]; readonly admin: Address | undefined };
  /**
   * SIGHUP: every file is read again, the audit file is opened anew. With other settings everything but the listeners and
   * `audit.to` follows them; rejects with StartError, and keeps the old, where they could not have been started with.
   */
  reload(next?: Settings): Promise<void>;
  /** SIGTERM: answers for `drainDelay`, then closes the listeners and answers what is in flight. */
  stop(): Promise<void>;
}

/** A changed file counts after two polls (contract section 9: within 5 s). */
const POLL_EVERY = 500;
/** Contract section 9: exit within 10 s after the listeners close; the rest is for writing out the records. */
const GRACE = 7000;

export async function startApp(settings: Settings, log: Log, now: () => number): Promise<App> {
  const onFault = (fault: unknown): void => log.error('a check failed', { fault: describe(fault) });
  const secrets = await openSecrets(settings.listen, now());
  const recorder = openRecorder(settings, log, now);
  const memory = createMemory(settings);
  const open = (next: Settings): Promise<Core> => openCore(next, memory, recorder, now, onFault);
  let core = await open(settings);
  recorder.observe(core);
  const poll = async (force: boolean): Promise<void> => {
    await core.poll(force);
    for (const file of secrets.all) await file.poll(now(), force);
  };
  const stopPolling = every(POLL_EVERY, () => poll(false), onFault);
  const state = { draining: false };
  const doors = await openDoors(settings.listen, log, {
    handle: (bytes, deadline) => core.handle(bytes, deadline),
    secret: secrets.secret,
    adminToken: secrets.adminToken,
    readiness: () => readinessOf(core.sources, state.draining),
    policy: () => effectivePolicy(core.sources),
    metrics: recorder.metrics,
  }).catch((error: unknown) => {
    stopPolling();
    throw error;
  });
  for (const warning of settings.warnings) log.warn(warning, {});

  return {
    addresses: { check: doors.listeners.map(({ address }) => address), admin: doors.pages[0]?.address },
    async reload(next) {
      recorder.reopen();
      await poll(true);
      if (next === undefined) return;
      core = await open(next);
      recorder.observe(core);
      if (!isDeepStrictEqual([next.listen, next.audit.to], [settings.listen, settings.audit.to])) {
        log.warn('listen and audit.to count at the next start', {});
      }
    },
    async stop() {
      state.draining = true;
      for (const { address, setServing } of doors.listeners) if (address.kind === 'tcp') setServing(false);
      await new Promise((resolve) => setTimeout(resolve, settings.listen.drainDelay));
      await Promise.all(doors.listeners.map((listener) => listener.close(GRACE)));
      stopPolling();
      await Promise.all(doors.pages.map((page) => page.close()));
      await recorder.close();
    },
  };
}

/** Everything that a reload of the configuration replaces at once. */
interface Core {
  readonly settings: Settings;
  readonly engine: Engine;
  readonly sources: Sources;
  readonly handle: Handle;
  poll(force: boolean): Promise<void>;
}

async function openCore(
  settings: Settings,
  memory: Memory,
  recorder: Recorder,
  now: () => number,
  onFault: (fault: unknown) => void,
): Promise<Core> {
  // A start that is refused tells its problems once, in the refusal.
  const early: Parameters<OnSource>[] = [];
  let tell: OnSource = (...facts) => void early.push(facts);
  const sources = await openSources(settings, readersFor(settings), now(), (...facts) => tell(...facts));
  refuseBadStart(settings, sources);
  tell = recorder.onSource;
  for (const facts of early) tell(...facts);
  const engine = createEngine({ settings, memory, snapshot: sources.snapshot, now, onFault });
  const revocations = await openRevocations(settings, memory, recorder, now());
  const { mayAnswer, onOutcome } = recorder;
  return {
    settings,
    engine,
    sources,
    handle: createHandler({ check: engine.check, settings, mayAnswer, onOutcome, onFault }),
    async poll(force) {
      await sources.poll(now(), force);
      await revocations?.poll(now(), force);
    },
  };
}

interface Doors {
  readonly listeners: readonly Listener[];
  readonly pages: readonly HttpListener[];
}

interface Behind extends Omit<AdminSources, 'token'> {
  readonly handle: Handle;
  readonly secret: (() => string | undefined) | undefined;
  readonly adminToken: (() => string | undefined) | undefined;
}

/** All listeners, or none. */
async function openDoors(listen: ListenSettings, log: Log, behind: Behind): Promise<Doors> {
  const listeners: Listener[] = [];
  const pages: HttpListener[] = [];
  const warn = (message: string, facts?: object): void => log.warn(message, { ...facts });
  const grpc = {
    ...grpcOptions(listen),
    handle: behind.handle,
    log: warn,
    ...(behind.secret && { secret: behind.secret }),
  };
  const { readiness, policy, metrics, adminToken } = behind;
  const http = { token: () => adminToken?.(), readiness, policy, metrics, socketMode: listen.socketMode, log };
  try {
    for (const address of listen.check) listeners.push(await startGrpcListener({ ...grpc, address }));
    for (const [kind, address] of pageAddresses(listen))
      pages.push(await startHttpListener({ ...http, kind, address }));
    return { listeners, pages };
  } catch (error) {
    await Promise.all([...listeners.map((listener) => listener.close(0)), ...pages.map((page) => page.close())]);
    throw new StartError(3, [describe(error)]);
  }
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Runs `work` again and again, never twice at once; returns how to end it. */
function every(ms: number, work: () => Promise<void>, onFault: (fault: unknown) => void): () => void {
  let running = false;
  const timer = setInterval(() => {
    if (running) return;
    running = true;
    void work()
      .catch(onFault)
      .finally(() => (running = false));
  }, ms);
  return () => clearInterval(timer);
}

/** Only the owner's own lines may be bad at start: then the guard lives, not ready, and answers policy_invalid. */
function refuseBadStart({ policy }: Settings, sources: Sources): void {
  const ownersFault = existsSync(policy.source.file);
  const problems = [...sources.problems()].filter(([what]) => what !== POLICY || !ownersFault);
  if (problems.length > 0)
    throw new StartError(
      2,
      problems.map(([, problem]) => problem),
    );
}

function openRecorder(settings: Settings, log: Log, now: () => number): Recorder {
  try {
    return createRecorder(settings, log, now);
  } catch (error) {
    throw new StartError(2, [describe(error)]);
  }
}

async function openRevocations(
  { revocation }: Settings,
  memory: Memory,
  recorder: Recorder,
  now: number,
): Promise<WatchedFile<unknown> | undefined> {
  if (revocation.file === null) return undefined;
  const followed = followRevocations(
    revocation.file,
    memory.revocations,
    recorder.onRevocation,
    recorder.onRevocationProblems,
  );
  await followed.poll(now, true);
  return followed;
}

interface Secrets {
  readonly secret: (() => string | undefined) | undefined;
  readonly adminToken: (() => string | undefined) | undefined;
  readonly all: readonly WatchedFile<string>[];
}

/** Secrets in files: not empty, without the line break at their end; a changed one counts like any other file. */
async function openSecrets(listen: ListenSettings, now: number): Promise<Secrets> {
  const open = async (file: string | null): Promise<WatchedFile<string> | undefined> => {
    if (file === null) return undefined;
    const watched = watchFile(file, readSecret, Infinity);
    await watched.poll(now, true);
    const problem = watched.problem();
    if (problem !== undefined) throw new StartError(2, [`${file}: ${problem}`]);
    return watched;
  };
  const secret = await open(listen.secretFile);
  const adminToken = await open(listen.adminTokenFile);
  return {
    secret: secret && (() => secret.current(now)),
    adminToken: adminToken && (() => adminToken.current(now)),
    all: [secret, adminToken].filter((file) => file !== undefined),
  };
}

function readSecret(content: string): { ok: true; value: string } | { ok: false; problem: string } {
  const value = content.replace(/\r?\n$/, '');
  return /^[\x21-\x7e]+$/.test(value)
    ? { ok: true, value }
    : { ok: false, problem: 'expected one line of printable ASCII without spaces' };
}

function grpcOptions(listen: ListenSettings) {
  const { tls, socketMode, reflection } = listen;
  if (tls === null) return { socketMode, reflection };
  try {
    const [certificate, key] = [readFileSync(tls.certificate), readFileSync(tls.key)];
    const clientCA = tls.clientCA === null ? {} : { clientCA: readFileSync(tls.clientCA) };
    // Here already: what a listener says later is that it cannot listen.
    createSecureContext({ cert: certificate, key, ...(clientCA.clientCA && { ca: clientCA.clientCA }) });
    return { socketMode, reflection, tls: { certificate, key, ...clientCA } };
  } catch (error) {
    throw new StartError(2, [`listen.tls: ${describe(error)}`]);
  }
}

const pageAddresses = ({ admin, health, metrics }: ListenSettings) =>
  (
    [
      ['admin', admin],
      ['health', health],
      ['metrics', metrics],
    ] as const
  ).flatMap(([kind, address]) => (address === null ? [] : [[kind, address] as const]));

function readinessOf(sources: Sources, draining: boolean) {
  const problems = Object.fromEntries(sources.problems());
  return {
    ready: sources.complete() && !draining,
    detail: { draining, problems, policy: sources.snapshot().policy?.revision ?? null },
  };
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
