import { foldAscii } from '../model/path.js';
import type { Line, Route } from '../model/policy.js';
import { DATA_LABELS } from '../model/settings.js';
import type { DataLabel } from '../model/settings.js';
import { buildTrie, matchesIn, winnersIn } from './trie.js';
import type { Trie } from './trie.js';

/**
 * Which line and which guardrails a method and path belong to. In: the owner's lines (no two overlap) and the guardrails.
 * Out: the lookup. A more specific path whose methods do not match is skipped. It does NOT read the caller.
 * Kept equal to a linear reading of the grammar by test/properties/policy-lookup.test.ts.
 */
export interface LookupSource {
  readonly lines: readonly Line[];
  readonly guardrails: readonly Line[];
  /** The label of lines that have none: firsthand.dev/data. */
  readonly data: DataLabel | null;
}

export function buildLookup(source: LookupSource): (method: string, segments: readonly string[]) => Route {
  const { lines, guardrails, data } = source;
  const exact = { lines: buildTrie(lines, asIs), guardrails: buildTrie(guardrails, asIs) };
  const folded = { lines: buildTrie(lines, foldAscii), guardrails: buildTrie(guardrails, foldAscii) };
  const mayDiffer = caseWatch([...lines, ...guardrails]);

  return (method, segments) => {
    const line = best(exact.lines, method, segments)[0];
    const rails = all(exact.guardrails, method, segments);
    const differs = (): boolean => {
      const lower = segments.map(foldAscii);
      const candidates = best(folded.lines, method, lower);
      if (candidates.length > 1 || candidates[0] !== line) return true;
      // Whatever matches exactly matches folded too, so that equal numbers mean equal sets.
      return all(folded.guardrails, method, lower).length !== rails.length;
    };
    return {
      line,
      guardrails: rails,
      data: effectiveLabel(line, rails, data),
      ambiguous: segments.some(mayDiffer) && differs(),
    };
  };
}

const asIs = (literal: string): string => literal;

/** The lines that come first; several only where literals were folded into one. */
function best(trie: Trie, method: string, segments: readonly string[]): readonly Line[] {
  let found: readonly Line[] = [];
  trie.walk(segments, (slot) => (found = winnersIn(slot, method)).length > 0);
  return found;
}

function all(trie: Trie, method: string, segments: readonly string[]): readonly Line[] {
  const found: Line[] = [];
  trie.walk(segments, (slot) => {
    found.push(...matchesIn(slot, method));
    return false;
  });
  return found.length < 2 ? found : found.sort((a, b) => a.number - b.number);
}

/**
 * Whether a reader that ignores case could compare a segment differently: some literal equals it but for its case. For
 * all other segments both readings walk the same way, so that most requests are looked up once.
 */
function caseWatch(lines: readonly Line[]): (segment: string) => boolean {
  const spellings = new Map<string, Set<string>>();
  for (const { path } of lines)
    for (const segment of path.segments)
      if (segment.kind === 'literal') {
        const lower = foldAscii(segment.text);
        spellings.set(lower, (spellings.get(lower) ?? new Set()).add(segment.text));
      }
  return (segment) => {
    const known = spellings.get(hasCapital(segment) ? foldAscii(segment) : segment);
    return known !== undefined && (known.size > 1 || !known.has(segment));
  };
}

function hasCapital(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code >= 0x41 && code <= 0x5a) return true;
  }
  return false;
}

/**
 * The higher of the owner's label and the guardrails'; what nobody labelled counts as the most sensitive. A guardrail's
 * label on a route without any is the operator's word on it, the one way in which a guardrail can lower what counts.
 */
function effectiveLabel(line: Line | undefined, guardrails: readonly Line[], fallback: DataLabel | null): DataLabel {
  let highest = -1;
  const own = line === undefined ? null : (line.conditions.data ?? fallback);
  if (own !== null) highest = rankOf(own);
  for (const { conditions } of guardrails)
    if (conditions.data !== null) highest = Math.max(highest, rankOf(conditions.data));
  return DATA_LABELS[highest] ?? 'restricted';
}

export const rankOf = (label: DataLabel): number => DATA_LABELS.indexOf(label);
