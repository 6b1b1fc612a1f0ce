/**
 * The engine without listeners, for the tools: what `serve` would decide about bytes. In: the configuration's file name,
 * the environment, a clock. Out: a workbench, or every problem in words. Real keys and bundles (`openWorkbench`), or those
 * of a forge (`openForgedWorkbench`), for which no key or bundle file need exist; everything else is as configured. It
 * refuses what `serve` would not start with; an owner's bad lines it opens with, and answers `policy_invalid`, as `serve`
 * does. Does NOT follow files: they are read once.
 */
import { existsSync, readFileSync } from 'node:fs';
import { answerMetadata } from '../audit/record.js';
import { formatConfigIssue, loadConfig, loadConfigText } from '../config/load.js';
import type { Env } from '../config/interpolate.js';
import { checkGuardrails, createEngine, createMemory, readersFor } from '../engine.js';
import type { Memory } from '../engine.js';
import type { Attributes } from '../model/attributes.js';
import type { Outcome } from '../model/decision.js';
import { ok } from '../model/result.js';
import type { Settings } from '../model/settings.js';
import { openersFor } from '../openers.js';
import type { Snapshot } from '../model/snapshot.js';
import { describe } from '../start-error.js';
import { followRevocations } from '../state/revocation/file.js';
import { CANDIDATE, openSources, POLICY } from '../state/sources.js';
import type { Sources } from '../state/sources.js';
import { answerOf, askedBy } from '../wire/answer.js';
import { readRequest } from '../wire/read-request.js';
import type { Answer } from '../wire/write-response.js';
import { createForge } from './forge.js';
import type { Forge } from './forge.js';
import type { ConfigText, Decide } from './supposed.js';

export interface Judged {
  readonly outcome: Outcome;
  /** Undefined where the bytes are no CheckRequest. */
  readonly attributes: Attributes | undefined;
  readonly answer: Answer;
}

export interface Workbench {
  readonly settings: Settings;
  /** Sources as serve reads them: snapshot, ages, problems. */
  readonly sources: Sources;
  /** Decides as serve does. Starts without any memory, and remembers its own checks: pins, used tokens, decisions. */
  readonly check: (bytes: Uint8Array) => Promise<Judged>;
  /** The same without any memory, before and after: what other checks did says nothing. */
  readonly alone: (bytes: Uint8Array) => Promise<Judged>;
  /** What would be decided under other settings and another snapshot, alone as well. */
  readonly decide: Decide;
  /** The text of the configuration, and how such a text is read. */
  readonly config: ConfigText | undefined;
}

export type Opened =
  { readonly ok: true; readonly bench: Workbench } | { readonly ok: false; readonly problems: readonly string[] };

export type OpenedForged =
  | { readonly ok: true; readonly bench: Workbench; readonly forge: Forge }
  | { readonly ok: false; readonly problems: readonly string[]; readonly forge?: never };

type Now = () => number;

/** With the configured keys and bundles. */
export async function openWorkbench(config: string, env: Env, now: Now): Promise<Opened> {
  const settings = settingsFrom(config, env);
  if (Array.isArray(settings)) return { ok: false, problems: settings };
  const sources = await sourcesOf(settings, now);
  const problems = unusable(settings, sources);
  if (problems.length > 0) return { ok: false, problems };
  const text = configText(config, env);
  return { ok: true, bench: await benchOf({ settings, sources, snapshot: sources.snapshot, now, text }) };
}

/** Keys and bundles are the forge's: the configured ones are not even looked for. */
export async function openForgedWorkbench(config: string, env: Env, now: Now): Promise<OpenedForged> {
  const settings = settingsFrom(config, env);
  if (Array.isArray(settings)) return { ok: false, problems: settings };
  const sources = await sourcesOf({ ...settings, trust: new Map(), tokens: [] }, now);
  const problems = unusable(settings, sources);
  if (problems.length > 0) return { ok: false, problems };
  const forge = await createForge(settings, now);
  const { findBundle, findKeys } = forge;
  const forged = (): Snapshot => ({ ...sources.snapshot(), findBundle, findKeys });
  const bench = await benchOf({
    ...{ settings, sources: { ...sources, snapshot: forged }, snapshot: forged, now },
    text: configText(config, env),
  });
  return { ok: true, bench, forge };
}

function settingsFrom(config: string, env: Env): Settings | string[] {
  const loaded = loadConfig(config, env, checkGuardrails);
  return loaded.ok ? loaded.settings : loaded.issues.map(formatConfigIssue);
}

function configText(file: string, env: Env): ConfigText | undefined {
  const read: ConfigText['read'] = (text) => {
    const loaded = loadConfigText(text, file, env, checkGuardrails);
    return loaded.ok ? loaded.settings : undefined;
  };
  try {
    return { text: readFileSync(file, 'utf8'), read };
  } catch {
    return undefined;
  }
}

/** What is elsewhere is asked once; nothing stays open. */
async function sourcesOf(settings: Settings, now: Now): Promise<Sources> {
  const readers = readersFor(settings);
  const openers = await openersFor(settings, readers);
  const sources = await openSources(settings, readers, now(), () => undefined, openers);
  await sources.settled();
  await sources.takeIn(now());
  sources.close();
  return sources;
}

/** As at a start: only the owner's own lines may be bad; what is elsewhere may not have answered, as `serve` would wait. */
function unusable({ policy }: Settings, sources: Sources): readonly string[] {
  const mayBeBad = (what: string): boolean =>
    (what === POLICY && existsSync(policy.source.file)) || (what === CANDIDATE && existsSync(policy.candidate ?? ''));
  return [...sources.fileProblems()].filter(([what]) => !mayBeBad(what)).map(([, problem]) => problem);
}

interface Parts {
  readonly settings: Settings;
  readonly sources: Sources;
  readonly snapshot: () => Snapshot;
  readonly now: Now;
  readonly text: ConfigText | undefined;
}

async function benchOf({ settings, sources, snapshot, now, text }: Parts): Promise<Workbench> {
  const revocations = await revocationsOf(settings);
  const engineWith = (cache: Settings['cache']): Workbench['check'] => {
    const own = { ...settings, cache };
    return checkWith(own, { ...createMemory(own), revocations }, snapshot, now);
  };
  const check = engineWith(settings.cache);
  const alone: Workbench['alone'] = (bytes) => engineWith({ ...settings.cache, ...SMALL })(bytes);
  return { settings, sources, check, alone, decide: decideWith(revocations, now), config: text };
}

/** What revocations say counts; nothing else is remembered. */
export const decideWith =
  (revocations: Memory['revocations'], now: Now): Decide =>
  (attributes, settings, loaded) => {
    const memory = { ...createMemory(settings), revocations };
    const engine = createEngine({ settings, memory, snapshot: () => loaded, now, onFault: () => undefined });
    return engine.check(ok(attributes), undefined);
  };

/** Tables for one check. */
const SMALL = { entries: 16, pins: 16 };

/** Revocations are an input and no memory: every engine of these files shares them. */
async function revocationsOf(settings: Settings): Promise<Memory['revocations']> {
  const { revocations } = createMemory({ cache: { ...settings.cache, ...SMALL } });
  const { file } = settings.revocation;
  const nothing = (): void => undefined;
  if (file !== null) await followRevocations(file, revocations, { onChange: nothing, onProblems: nothing }).poll();
  return revocations;
}

function checkWith(settings: Settings, memory: Memory, snapshot: () => Snapshot, now: Now): Workbench['check'] {
  const faults: unknown[] = [];
  const onFault = (fault: unknown): void => void faults.push(fault);
  const engine = createEngine({ settings, memory, snapshot, now, onFault });
  return async (bytes) => {
    const request = readRequest(bytes);
    const attributes = request.ok ? request.value : undefined;
    const outcome = withFault(await engine.check(request, undefined), faults.splice(0));
    return { outcome, attributes, answer: answerOf(outcome, askedBy(attributes), settings, answerMetadata(outcome)) };
  };
}

/** Nobody reads an operational log here: what broke is told where the reason is. */
function withFault(outcome: Outcome, [fault]: readonly unknown[]): Outcome {
  const { verdict } = outcome;
  if (fault === undefined || verdict.kind === 'allow' || verdict.refusal.reason !== 'internal_error') return outcome;
  const refusal = { ...verdict.refusal, detail: `a fault: ${describe(fault)}` };
  return { ...outcome, verdict: { ...verdict, refusal } };
}
