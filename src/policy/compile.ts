import { createHash } from 'node:crypto';
import type { Line, Policy, PolicyIssue } from '../model/policy.js';
import type { DataLabel, OwnerRight } from '../model/settings.js';
import { DATA_KEY, MODE_KEY, OWNER_KEY, SCOPES_KEY, readAnnotations } from './annotations.js';
import { parseDataLabel } from './condition-values.js';
import { parseLines } from './grammar.js';
import { buildLookup } from './lookup.js';
import { findOverlaps } from './overlap.js';

/**
 * Text to Policy, or every issue at once. In: the owner's file and what the operator set. Out: an immutable policy with
 * a lookup. Refuses a text with any issue as a whole: half a policy is not what its owner wrote. No text declares
 * nothing, and is valid. It does NOT remember earlier policies: the last good one is kept in state/.
 */
export interface PolicySource {
  readonly kind: 'annotations' | 'scopes';
  readonly text: string;
  /** For `scopes`: the label of lines that have none; the text itself cannot say it. */
  readonly data?: DataLabel | null;
}

export interface OperatorRules {
  /** The operator's scope lines. */
  readonly guardrails: string;
  readonly ownersMay: readonly OwnerRight[];
}

export type Compiled =
  { readonly ok: true; readonly policy: Policy } | { readonly ok: false; readonly issues: readonly PolicyIssue[] };

export function compilePolicy(source: PolicySource, options: OperatorRules): Compiled {
  const declared = readSource(source, options.ownersMay);
  const own = readOwnerLines(declared.scopes, options.ownersMay);
  const rails = parseLines(options.guardrails, { rights: 'all' });
  const issues = [
    ...declared.issues,
    ...own.issues.map((issue) => inside(declared.place, issue)),
    ...rails.issues.map((issue) => inside('policy.guardrails', issue)),
  ];
  if (issues.length > 0) return { ok: false, issues };
  return { ok: true, policy: assemble(declared, own.lines, rails.lines, options) };
}

/** The owner's lines that are right by themselves, and every issue, also of lines with each other. */
export function readOwnerLines(
  text: string,
  ownersMay: readonly OwnerRight[],
): { readonly lines: readonly Line[]; readonly issues: readonly PolicyIssue[] } {
  const { lines, issues } = parseLines(text, { rights: lineRights(ownersMay) });
  return { lines, issues: inOrder([...issues, ...findOverlaps(lines)]) };
}

const inOrder = (issues: PolicyIssue[]): PolicyIssue[] => issues.sort((a, b) => a.line - b.line || a.column - b.column);

/** Guardrails may overlap as they like: a request must satisfy every one that matches. */
export const checkGuardrails = (text: string): readonly PolicyIssue[] => parseLines(text, { rights: 'all' }).issues;

interface Declared {
  readonly scopes: string;
  readonly owner: string | null;
  readonly data: DataLabel | null;
  readonly mode: Policy['mode'];
  readonly issues: readonly PolicyIssue[];
  /** What messages call the text that lines and columns count in; undefined for the file itself. */
  readonly place: string | undefined;
}

function readSource({ kind, text, data = null }: PolicySource, ownersMay: readonly OwnerRight[]): Declared {
  if (kind === 'scopes') return { scopes: text, owner: null, data, mode: 'enforce', issues: [], place: undefined };
  const { annotations, issues } = readAnnotations(text, ownersMay);
  const owner = annotations.get(OWNER_KEY)?.trim() ?? '';
  return {
    scopes: annotations.get(SCOPES_KEY) ?? '',
    owner: owner === '' ? null : owner,
    data: parseDataLabel(annotations.get(DATA_KEY) ?? '') ?? null,
    mode: annotations.get(MODE_KEY) === 'shadow' ? 'shadow' : 'enforce',
    issues,
    place: SCOPES_KEY,
  };
}

const lineRights = (ownersMay: readonly OwnerRight[]): ReadonlySet<'workload' | 'anyone'> =>
  new Set(ownersMay.filter((right) => right !== 'shadow'));

const inside = (place: string | undefined, issue: PolicyIssue): PolicyIssue =>
  place === undefined ? issue : { ...issue, message: `${place}: ${issue.message}` };

function assemble(
  declared: Declared,
  lines: readonly Line[],
  guardrails: readonly Line[],
  options: OperatorRules,
): Policy {
  const { scopes, owner, data, mode } = declared;
  const everything = JSON.stringify([
    scopes,
    owner,
    data,
    options.guardrails,
    [...options.ownersMay].sort(),
    ...(mode === 'shadow' ? [mode] : []),
  ]);
  return Object.freeze({
    revision: createHash('sha256').update(everything).digest('hex').slice(0, 12),
    owner,
    data,
    mode,
    lines,
    guardrails,
    route: buildLookup({ lines, guardrails, data }),
  });
}
