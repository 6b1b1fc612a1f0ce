import { createHash } from 'node:crypto';
import type { Line, Policy, PolicyIssue } from '../model/policy.js';
import type { DataLabel, OwnerRight } from '../model/settings.js';
import { DATA_KEY, OWNER_KEY, SCOPES_KEY, readAnnotations } from './annotations.js';
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
}

export interface OperatorRules {
  /** The operator's scope lines. */
  readonly guardrails: string;
  readonly ownersMay: readonly OwnerRight[];
}

export type Compiled =
  { readonly ok: true; readonly policy: Policy } | { readonly ok: false; readonly issues: readonly PolicyIssue[] };

export function compilePolicy(source: PolicySource, options: OperatorRules): Compiled {
  const declared = readSource(source);
  const own = parseLines(declared.scopes, { rights: lineRights(options.ownersMay) });
  const rails = parseLines(options.guardrails, { rights: 'all' });
  const issues = [
    ...declared.issues,
    ...inOrder([...own.issues, ...findOverlaps(own.lines)]).map((issue) => inside(declared.place, issue)),
    ...rails.issues.map((issue) => inside('policy.guardrails', issue)),
  ];
  if (issues.length > 0) return { ok: false, issues };
  return { ok: true, policy: assemble(declared, own.lines, rails.lines, options) };
}

const inOrder = (issues: PolicyIssue[]): PolicyIssue[] => issues.sort((a, b) => a.line - b.line || a.column - b.column);

/** Guardrails may overlap as they like: a request must satisfy every one that matches. */
export const checkGuardrails = (text: string): readonly PolicyIssue[] => parseLines(text, { rights: 'all' }).issues;

interface Declared {
  readonly scopes: string;
  readonly owner: string | null;
  readonly data: DataLabel | null;
  readonly issues: readonly PolicyIssue[];
  /** What messages call the text that lines and columns count in; undefined for the file itself. */
  readonly place: string | undefined;
}

function readSource({ kind, text }: PolicySource): Declared {
  if (kind === 'scopes') return { scopes: text, owner: null, data: null, issues: [], place: undefined };
  const { annotations, issues } = readAnnotations(text);
  const owner = annotations.get(OWNER_KEY)?.trim() ?? '';
  return {
    scopes: annotations.get(SCOPES_KEY) ?? '',
    owner: owner === '' ? null : owner,
    data: parseDataLabel(annotations.get(DATA_KEY) ?? '') ?? null,
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
  const { scopes, owner, data } = declared;
  const everything = JSON.stringify([scopes, owner, data, options.guardrails, [...options.ownersMay].sort()]);
  return Object.freeze({
    revision: createHash('sha256').update(everything).digest('hex').slice(0, 12),
    owner,
    lines,
    guardrails,
    route: buildLookup({ lines, guardrails, data }),
  });
}
