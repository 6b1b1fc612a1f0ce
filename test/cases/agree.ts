/**
 * What each of the tools says about a request, in words that can be compared. In: a folder with a configuration and all that
 * it names. The tools are called as their commands call them.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { reasonOf, shadowReason } from '../../src/audit/record.js';
import { explain } from '../../src/cli/explain.js';
import { replay } from '../../src/cli/replay.js';
import { run as runTest } from '../../src/cli/test.js';
import type { Outcome } from '../../src/model/decision.js';
import { keepInto } from '../../src/replay/keep.js';
import type { Summary } from '../../src/replay/tally.js';
import { testIo } from '../helpers/io.js';
import { served } from '../helpers/served.js';
import type { ServedCheck } from '../helpers/served.js';

/** What all of them must say. `decision` is what the caller gets. */
export interface Said {
  readonly decision: string;
  readonly reason: string;
  readonly shadow: string | undefined;
  readonly rule: number | undefined;
}

export function saidIn(outcome: Outcome): Said {
  const rule = outcome.findings.route?.line?.number;
  const decision = outcome.verdict.kind === 'deny' ? 'deny' : 'allow';
  return { decision, reason: reasonOf(outcome), shadow: shadowReason(outcome), rule };
}

/** What Envoy and the upstream get to see says the same as the outcome. */
function answerSays({ answer: { http_response: kind, metadata } }: ServedCheck): Said {
  expect(kind).toBe(metadata['decision'] === 'allow' ? 'ok_response' : 'denied_response');
  const { decision, reason, shadow, rule } = metadata as Partial<Record<string, string>> & { rule?: number };
  return { decision: decision ?? '', reason: reason ?? '', shadow, rule };
}

export interface Folder {
  readonly path: string;
  readonly config: string;
  readonly now: () => number;
}

export function folderWith(path: string, now: () => number, files: Readonly<Record<string, string>>): Folder {
  mkdirSync(path);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return { path, config: join(path, 'firsthand.yaml'), now };
}

export interface ServedOnce {
  readonly said: Said;
  /** What `serve --record` keeps of it. */
  readonly recorded: string;
  /** Its audit record. */
  readonly audited: string;
}

/** By a guard that has just started: none remembers what the others did. */
export async function serveOnce({ config, now }: Folder, bytes: Uint8Array): Promise<ServedOnce> {
  const guard = await served(config, now);
  const check = await guard.check(bytes);
  const [audited = ''] = await guard.close();
  const said = saidIn(check.outcome);
  expect(answerSays(check)).toEqual(said);
  return { said, audited, recorded: recordedLine(check, guard.settings) };
}

export function recordedLine(
  { outcome, attributes }: ServedCheck,
  settings: Parameters<ReturnType<typeof keepInto>>[2],
) {
  const lines: string[] = [];
  const spool = { write: (line: string) => void lines.push(line), close: () => Promise.resolve() };
  keepInto(spool, 1, () => 0)(outcome, attributes, settings);
  return lines.join('\n');
}

export async function explained({ config, now }: Folder, request: readonly string[]): Promise<Said> {
  const io = testIo({ now });
  const exit = await explain({ config, request, json: true }, io);
  const { decision, reason, shadow, rule } = JSON.parse(io.out()) as Said;
  expect(exit).toBe(decision === 'allow' ? 0 : 1);
  return { decision, reason, shadow, rule };
}

export interface Wanted {
  /** The keys of a case that say what is asked. */
  readonly subject: Readonly<Record<string, string>>;
  readonly said: Said;
}

/** `firsthand test`: how many of the cases pass, and what it has to say about the others. */
export async function tested({ path, config, now }: Folder, wanted: readonly Wanted[]): Promise<unknown> {
  const cases = wanted.map(({ subject, said: { decision, reason, shadow, rule } }) => ({
    ...subject,
    // A case is about the verdict, whatever a shadow mode makes of it.
    expect: { decision: shadow === undefined ? decision : 'deny', reason: shadow ?? reason, ...(rule && { rule }) },
  }));
  const file = join(path, 'cases.yaml');
  writeFileSync(file, JSON.stringify({ cases }));
  const io = testIo({ now });
  const exit = await runTest({ config, cases: [file], json: true }, io);
  expect(io.err()).toBe('');
  const report = JSON.parse(io.out()) as { passed: number; failed: number; cases: readonly { passed: boolean }[] };
  return { exit, passed: report.passed, failed: report.cases.filter(({ passed }) => !passed) };
}

export const allPass = (wanted: readonly Wanted[]): unknown => ({ exit: 0, passed: wanted.length, failed: [] });

/** What `firsthand replay` says of these records: how many there are, and what it reports as changed or undecidable. */
export async function replayed(
  { path, config, now }: Folder,
  lines: readonly string[],
): Promise<Summary & { exit: number }> {
  const file = join(path, 'records.ndjson');
  writeFileSync(
    file,
    lines
      .filter((text) => text !== '')
      .map((text) => `${text}\n`)
      .join(''),
  );
  const io = testIo({ now });
  const exit = await replay({ config, records: [file], json: true }, io);
  // Lines that are wrong can not be compared with: replay refuses to.
  if (exit === 2) expect(io.err()).toMatch(/^firsthand: /);
  return { ...(JSON.parse(io.out() || '{}') as Summary), exit };
}

/** What it says where nothing changes. */
export const nothingChanges = (lines: readonly string[]): Partial<Summary & { exit: number }> => {
  const records = lines.filter((text) => text !== '').length;
  return { exit: 0, records, unchanged: records, changes: [], undecided: [] };
};
