/**
 * What `firsthand inspect` found out, and how people and programs read it. In: parts with facts and faults. Out: text or
 * JSON. Every value goes through `shownValue` on its way in: on one line, bounded, without tokens, keys and PEM blocks.
 */
import { text } from '../audit/text.js';
import { oneLine } from '../config/words.js';

export interface Fault {
  readonly problem: string;
  /** Whose rule it breaks. */
  readonly rule?: string;
}

/** A value is text, or what JSON can hold. */
export type Fact = readonly [name: string, value: unknown];

export interface Part {
  readonly title: string;
  readonly facts: readonly Fact[];
  readonly faults: readonly Fault[];
}

export interface Inspection {
  readonly of: 'cert' | 'token' | 'xfcc';
  readonly parts: readonly Part[];
}

export const fault = (problem: string, rule?: string): Fault =>
  rule === undefined ? { problem: shownText(problem) } : { problem: shownText(problem), rule };

export const faultsOf = ({ parts }: Inspection): readonly Fault[] => parts.flatMap(({ faults }) => faults);

const shownText = (value: string): string => oneLine(text(value));

/** RFC 7517 §4, RFC 7518 §6: members of a JWK that only its owner may know. */
const PRIVATE_MEMBERS: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']);

/** Deeper values say nothing to a reader, and would let a stranger's nesting take the stack. */
const MAX_DEPTH = 8;

/** A stranger's JSON value as it may be shown. */
export function shownValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return shownText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.map((item: unknown) => shownValue(item, depth + 1));
  const isKey = Object.hasOwn(value, 'kty');
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      shownText(name),
      isKey && PRIVATE_MEMBERS.has(name) ? '[private]' : shownValue(member, depth + 1),
    ]),
  );
}

export function inspectionText(inspection: Inspection): string {
  const count = faultsOf(inspection).length;
  const verdict = count === 0 ? 'fine' : count === 1 ? '1 fault' : `${count} faults`;
  return `${inspection.parts.map(partText).join('\n')}\n${verdict}\n`;
}

function partText({ title, facts, faults }: Part): string {
  const width = Math.max(0, ...facts.map(([name]) => name.length));
  const lines = [
    ...facts.map(([name, value]) => `  ${name.padEnd(width)}  ${valueText(value)}`),
    ...faults.map(({ problem, rule }) => `  fault: ${problem}${rule === undefined ? '' : ` (${rule})`}`),
  ];
  return `${[title, ...lines].join('\n')}\n`;
}

function valueText(value: unknown): string {
  if (typeof value === 'string') return value;
  const isList = Array.isArray(value) && value.every((item) => typeof item === 'string');
  return isList ? (value.length === 0 ? 'none' : value.join(', ')) : JSON.stringify(value);
}

export function inspectionJson(inspection: Inspection): string {
  const parts = inspection.parts.map(({ title, facts, faults }) => ({
    title,
    facts: Object.fromEntries(facts),
    faults,
  }));
  const count = faultsOf(inspection).length;
  return `${JSON.stringify({ of: inspection.of, fine: count === 0, faults: count, parts }, undefined, 2)}\n`;
}
