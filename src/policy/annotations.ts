import type { PolicyIssue } from '../model/policy.js';
import { labelHint, parseDataLabel } from './condition-values.js';
import { issueAt, quoted } from './issue.js';
import type { IssueCode, Problem } from './issue.js';
import { nearest } from '../model/nearest.js';
import type { OwnerRight } from '../model/settings.js';
import { unquoteGo } from './unquote.js';

/**
 * The Downward API file of all annotations of a pod: one `key="value"` on each line, values quoted as Go literals.
 * In: the file's text. Out: our own annotations by their full key. Refuses lines of any other form, our keys that are
 * unknown, and keys that come twice. Other tools' annotations are skipped. It does NOT read the
 * scope lines: see grammar.ts.
 */
export const SCOPES_KEY = 'firsthand.dev/scopes';
export const OWNER_KEY = 'firsthand.dev/owner';
export const DATA_KEY = 'firsthand.dev/data';
export const MODE_KEY = 'firsthand.dev/mode';

const PREFIX = 'firsthand.dev/';
const KNOWN: readonly string[] = [SCOPES_KEY, OWNER_KEY, DATA_KEY, MODE_KEY];

/** Kubernetes allows 256 KiB of annotations; an escape is at most four times as long as the bytes it stands for. */
const MAX_BYTES = 2 * 1024 * 1024;

/** `ownersMay`: what the operator lets owners write; not judged where it is not known. */
export function readAnnotations(
  text: string,
  ownersMay?: readonly OwnerRight[],
): { annotations: Map<string, string>; issues: PolicyIssue[] } {
  const annotations = new Map<string, string>();
  const issues: PolicyIssue[] = [];
  const content = text.endsWith('\n') ? text.slice(0, -1) : text;
  if (content === '') return { annotations, issues };
  if (Buffer.byteLength(content) > MAX_BYTES) return { annotations, issues: [issueAt(1, 1, tooLong)] };
  const seen = new Set<string>();
  content.split('\n').forEach((line, index) => {
    const entry = readEntry(line, index + 1, issues);
    if (entry === undefined) return;
    const problem = seen.has(entry.key) ? twice(entry.key) : wrongWithAnnotation(entry.key, entry.value, ownersMay);
    if (problem !== undefined) issues.push(issueAt(index + 1, 1, problem));
    else if (isOurs(entry.key)) annotations.set(entry.key, entry.value);
    seen.add(entry.key);
  });
  return { annotations, issues };
}

const problem = (code: IssueCode, message: string, hint?: string): Problem => ({ code, message, hint });

const tooLong = problem('limit', 'expected at most 2 MiB of annotations, got more');

const twice = (key: string): Problem =>
  problem('annotation_duplicate', `expected each annotation once, got ${quoted(key)} twice`, 'delete one of the lines');

/** A qualified name as the API server accepts it, so that a stray space can not turn one of our keys into another tool's. */
const KEY = /^(?:[A-Za-z0-9.-]+\/)?[A-Za-z0-9._-]+$/;

function readEntry(line: string, number: number, issues: PolicyIssue[]): { key: string; value: string } | undefined {
  const equals = line.indexOf('=');
  const key = line.slice(0, Math.max(equals, 0));
  if (!KEY.test(key)) {
    const message = `expected key="value" as the Downward API writes it, got ${quoted(line)}`;
    issues.push(issueAt(number, 1, problem('annotation_syntax', message, 'mount metadata.annotations as a whole')));
    return undefined;
  }
  const unquoted = unquoteGo(line.slice(equals + 1));
  if (unquoted.ok) return { key, value: unquoted.value };
  const message = `${key}: ${unquoted.message}`;
  issues.push(
    issueAt(
      number,
      equals + 2 + unquoted.at,
      problem('annotation_syntax', message, 'values are quoted as Go string literals'),
    ),
  );
  return undefined;
}

/** The prefix in any case: Kubernetes takes capitals, and an ignored annotation would be a silent mistake. */
const isOurs = (key: string): boolean => key.toLowerCase().startsWith(PREFIX);

/** What is wrong with one annotation of a pod, wherever it was read from; undefined also for other tools' annotations. */
export function wrongWithAnnotation(
  key: string,
  value: string,
  ownersMay?: readonly OwnerRight[],
): Problem | undefined {
  if (!isOurs(key)) return undefined;
  if (!KNOWN.includes(key)) {
    const near = nearest(
      key.slice(PREFIX.length),
      KNOWN.map((known) => known.slice(PREFIX.length)),
    );
    const hint = near === undefined ? `known are ${KNOWN.join(', ')}` : `did you mean ${PREFIX}${near}?`;
    return problem('annotation_unknown', `the annotation ${quoted(key)} is not known`, hint);
  }
  if (key === DATA_KEY && value !== '' && parseDataLabel(value) === undefined)
    return problem('annotation_value', `${key}: expected a data label, got ${quoted(value)}`, labelHint(value));
  if (key === MODE_KEY && !['', 'enforce', 'shadow'].includes(value))
    return problem('annotation_value', `${key}: expected enforce or shadow, got ${quoted(value)}`);
  if (key === MODE_KEY && value === 'shadow' && ownersMay?.includes('shadow') === false)
    return problem(
      'right_missing',
      `${key}: the operator does not let owners write shadow`,
      'the operator must add shadow to policy.ownersMay',
    );
  return undefined;
}
