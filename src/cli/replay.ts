/** `firsthand replay`: exit 0 nothing changes, 1 something does or is undecidable, 2 not readable. */
import { loadConfig, formatConfigIssue } from '../config/load.js';
import { checkGuardrails, readersFor } from '../engine.js';
import { entriesOf, filesIn } from '../replay/read.js';
import { renderSummary } from '../replay/render.js';
import { replayEntry } from '../replay/replay.js';
import type { Judges, JudgeRaw } from '../replay/replay.js';
import { createTally } from '../replay/tally.js';
import type { Summary } from '../replay/tally.js';
import type { Against } from '../replay/told.js';
import { openSources, POLICY } from '../state/sources.js';
import { openWorkbench } from '../workbench/open.js';
import { complain, systemWords, UNREADABLE } from './io.js';
import type { Io } from './io.js';
import { progressOn } from './progress.js';

export interface ReplayOptions {
  readonly config: string;
  readonly records: readonly string[];
  /** Another config, whose answers to whole CheckRequests are compared with. */
  readonly against?: string;
  /** When whole CheckRequests are decided; default: now. */
  readonly at?: string;
  readonly json?: boolean;
}

/** That nothing changes would be said of nothing. */
const NO_RECORD = 'there is no record in what was named: name audit records, or the folder of serve --record';

/** What the user has to repair; never a fault of ours. */
class Unreadable extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('; '));
  }
}

/** `bar`: draws on stderr; left out where that is no terminal. */
export async function replay(options: ReplayOptions, io: Io, bar?: (text: string) => void): Promise<number> {
  try {
    const summary = await summaryOf(options, io, bar);
    if (summary.records + summary.bad === 0) throw new Unreadable([NO_RECORD]);
    io.stdout(options.json === true ? `${JSON.stringify(summary, null, 2)}\n` : renderSummary(summary));
    return summary.bad > 0 ? UNREADABLE : summary.changed + summary.undecidable > 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    for (const problem of error.problems) complain(io, problem);
    return UNREADABLE;
  }
}

async function summaryOf(options: ReplayOptions, io: Io, bar: ((text: string) => void) | undefined): Promise<Summary> {
  const now = clockOf(options, io);
  const judges: Judges = {
    against: await openAgainst(options.config, io, now),
    now: once(() => openRaw(options.config, io, now)),
    before: options.against === undefined ? undefined : once(() => openRaw(options.against ?? '', io, now)),
  };
  const { files, bytes } = readable(() => filesIn(options.records));
  const tally = createTally();
  const progress = progressOn(bar, bytes, io.now);
  let done = 0;
  const stdin = async (): Promise<Uint8Array> => (await io.stdinBytes?.()) ?? Buffer.from(await io.stdin());
  try {
    for (const file of files) {
      for await (const entry of entriesOf(file, stdin, (count) => progress.at((done += count)))) {
        if (entry.kind === 'bad') complain(io, `${entry.place}: ${entry.problem}`);
        await replayEntry(entry, judges, tally);
      }
    }
  } catch (error) {
    throw unreadable(error);
  } finally {
    progress.end();
  }
  return tally.summary();
}

function clockOf({ at }: ReplayOptions, io: Io): () => number {
  if (at === undefined) return io.now;
  const time = Date.parse(at);
  if (Number.isNaN(time))
    throw new Unreadable([`--at: expected a time such as 2026-11-23T12:00:00Z, got ${JSON.stringify(at)}`]);
  return () => time;
}

/** For records only settings and lines count: keys and bundles need not even be there. */
async function openAgainst(config: string, { env }: Io, now: () => number): Promise<Against> {
  const loaded = loadConfig(config, env, checkGuardrails);
  if (!loaded.ok) throw new Unreadable(loaded.issues.map(formatConfigIssue));
  const { settings } = loaded;
  const alone = { ...settings, trust: new Map(), tokens: [] };
  const sources = await openSources(alone, readersFor(settings), now(), () => undefined);
  const problem = sources.problems().get(POLICY);
  if (problem !== undefined) throw new Unreadable([problem]);
  return { settings, snapshot: sources.snapshot() };
}

/** Each request is decided without a memory of the others. */
async function openRaw(config: string, { env }: Io, now: () => number): Promise<JudgeRaw> {
  const opened = await openWorkbench(config, env, now);
  if (!opened.ok) throw new Unreadable(opened.problems);
  return (bytes) => opened.bench.alone(bytes);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unreadable(error);
  }
}

/** The system's words about a file, as an answer to the user. */
function unreadable(error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !('path' in error)) return error;
  return new Unreadable([`${String(error.path)}: ${systemWords(error.message)}`]);
}
