/**
 * Cases → results. In: a configuration's workbenches, cases. Out: what each case gave, and which lines of the policy they
 * tried. Each case has a memory of its own, so that their order says nothing. Requests are forged, and verified with the
 * forge's keys; captures carry real credentials, so they are verified with the configured keys.
 */
import { readFile } from 'node:fs/promises';
import type { ConfigIssue } from '../config/load.js';
import type { Line } from '../model/policy.js';
import { readCapture } from './capture.js';
import type { Subject, TestCase } from './cases.js';
import { differencesOf, givenOf } from './case-verdict.js';
import type { Difference, Given } from './case-verdict.js';
import type { Forge } from './forge.js';
import type { Judged, Opened, Workbench } from './open.js';

export interface CaseResult extends Given {
  readonly test: TestCase;
  readonly keys: 'throw-away' | 'configured';
  readonly differences: readonly Difference[];
}

export interface Benches {
  readonly forged: Workbench;
  readonly forge: Forge;
  /** With the configured keys, at a moment. */
  readonly configured: (time: number | undefined) => Promise<Opened>;
}

/** A case that could not be judged: its capture can't be read, or the configured keys can't. */
export type Unjudged = { readonly issues: readonly ConfigIssue[] };

export async function runCases(
  cases: readonly TestCase[],
  benches: Benches,
): Promise<readonly CaseResult[] | Unjudged> {
  const results: CaseResult[] = [];
  const issues: ConfigIssue[] = [];
  for (const test of cases) {
    const judged = await judge(test, benches);
    if ('issues' in judged) issues.push(...judged.issues);
    else results.push(resultOf(test, judged));
  }
  return issues.length > 0 ? { issues } : results;
}

function resultOf(test: TestCase, judged: Judged): CaseResult {
  const keys = test.subject.kind === 'request' ? 'throw-away' : 'configured';
  const given = givenOf(judged);
  const hint = hasRunOut(test.subject, given) ? RUN_OUT : given.hint;
  return { test, keys, ...given, hint, differences: differencesOf(test.expect, judged) };
}

const RUN_OUT =
  "the capture's credentials have run out: say with at: when it was recorded, such as 2026-11-23T10:00:00Z";

const hasRunOut = (subject: Subject, { reason }: Given): boolean =>
  subject.kind === 'capture' && subject.time === undefined && (reason === 'peer_expired' || reason === 'token_expired');

async function judge({ file, subject }: TestCase, benches: Benches): Promise<Judged | Unjudged> {
  switch (subject.kind) {
    case 'request':
      return benches.forged.alone(await benches.forge.request(subject.scenario));
    case 'capture':
      return judgeCapture(file, subject, benches);
  }
}

async function judgeCapture(
  file: string,
  subject: Extract<Subject, { kind: 'capture' }>,
  { configured }: Benches,
): Promise<Judged | Unjudged> {
  const unjudged = (problems: readonly string[]): Unjudged => ({
    issues: problems.map((message) => ({ file, ...subject.at, message })),
  });
  const bytes = await bytesOf(subject.file);
  if ('problem' in bytes) return unjudged([`the capture ${subject.file}: ${bytes.problem}`]);
  const opened = await configured(subject.time);
  if (!opened.ok) return unjudged(opened.problems.map((problem) => `a capture needs the configured keys: ${problem}`));
  return opened.bench.alone(bytes);
}

async function bytesOf(file: string): Promise<Uint8Array | { readonly problem: string }> {
  try {
    return readCapture(await readFile(file), file);
  } catch (error) {
    return { problem: error instanceof Error ? error.message.replace(/,[^,]*$/, '') : 'not readable' };
  }
}

export interface LineCoverage {
  readonly line: Line;
  readonly allowed: number;
  readonly denied: number;
}

/** How often each of the owner's lines allowed and denied. */
export function coverageOf(lines: readonly Line[], results: readonly CaseResult[]): readonly LineCoverage[] {
  const count = (line: Line, decision: Given['decision']): number =>
    results.filter((result) => result.rule === line.number && result.decision === decision).length;
  return lines.map((line) => ({ line, allowed: count(line, 'allow'), denied: count(line, 'deny') }));
}

/** An `anyone` line looks at nobody: there is nobody to deny. */
export const neverDenied = ({ line, denied }: LineCoverage): boolean => denied === 0 && line.scopes.kind !== 'anyone';
export const neverAllowed = ({ allowed }: LineCoverage): boolean => allowed === 0;
