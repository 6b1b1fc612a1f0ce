/**
 * `expect:` of a case → what is wanted of the decision. In: the node, and the settings that its names refer to. Out: an
 * expectation; undefined after every problem was reported at its place.
 */
import type { Node } from '../config/node.js';
import { isAllow, REASONS } from '../model/reasons.js';
import type { Reason } from '../model/reasons.js';
import { fieldsOf, expected, missing, numberOf, textOf, textsOf, wordOf } from './case-values.js';
import type { Reading } from './case-values.js';
import { isProblem, OUTSIDE, workloadNamed } from './names.js';
import type { NameSettings } from './names.js';
import { splitList } from './short-form.js';

/** What is left out may be anything. */
export interface Expectation {
  readonly decision?: 'allow' | 'deny';
  readonly reason?: Reason;
  /** HTTP status of the answer; 200 of an allow. */
  readonly status?: number;
  /** Number of the line that decided. */
  readonly rule?: number;
  /** SPIFFE IDs, or `outside`. */
  readonly origin?: string;
  readonly peer?: string;
  readonly chain?: readonly string[];
  /** Of the answer: what the upstream gets to see, or the denied caller. null: must not be there. */
  readonly headers: ReadonlyMap<string, string | null>;
}

const DECISIONS = ['allow', 'deny'] as const;
const REASON_WORDS = Object.keys(REASONS) as Reason[];
const KEYS = ['decision', 'reason', 'status', 'rule', 'origin', 'peer', 'chain', 'headers'] as const;
const NONE: ReadonlyMap<string, string | null> = new Map();

export function readExpectation(reading: Reading, node: Node, settings: NameSettings): Expectation | undefined {
  if (node.kind === 'map') return fromFields(reading, node, settings);
  const word = wordOf(reading, node, [...DECISIONS, ...REASON_WORDS], 'allow, deny, a reason or a mapping');
  if (word === undefined) return undefined;
  return word === 'allow' || word === 'deny' ? { decision: word, headers: NONE } : { reason: word, headers: NONE };
}

function fromFields(reading: Reading, node: Node, settings: NameSettings): Expectation | undefined {
  const fields = fieldsOf(reading, node, KEYS);
  if (fields === undefined) return undefined;
  if (fields.size === 0)
    return missing(reading, node, 'decision', 'expect: allow, deny, a reason, or a mapping of these');
  const decision = wordOf(reading, fields.get('decision'), DECISIONS);
  const reason = wordOf(reading, fields.get('reason'), REASON_WORDS, 'a reason');
  const contrary = decision !== undefined && reason !== undefined && isAllow(reason) !== (decision === 'allow');
  const place = fields.get('reason');
  if (contrary && place !== undefined)
    reading.report(place.at, `${place.name}: ${reason} is never the reason of ${decision}`);
  const status = numberOf(reading, fields.get('status'));
  const rule = numberOf(reading, fields.get('rule'));
  const origin = nameIn(reading, fields.get('origin'), settings);
  const peer = nameIn(reading, fields.get('peer'), settings);
  const chain = chainIn(reading, fields.get('chain'), settings);
  return {
    ...(decision !== undefined && { decision }),
    ...(reason !== undefined && { reason }),
    ...(status !== undefined && { status }),
    ...(rule !== undefined && { rule }),
    ...(origin !== undefined && { origin }),
    ...(peer !== undefined && { peer }),
    ...(chain !== undefined && { chain }),
    headers: headersIn(reading, fields.get('headers')),
  };
}

function nameIn(reading: Reading, node: Node | undefined, settings: NameSettings): string | undefined {
  const text = textOf(reading, node);
  return text === undefined || node === undefined ? undefined : named(reading, node, text, settings);
}

function chainIn(reading: Reading, node: Node | undefined, settings: NameSettings): readonly string[] | undefined {
  const texts = textsOf(reading, node, splitList);
  if (texts === undefined || node === undefined) return undefined;
  const ids = texts.map((text) => named(reading, node, text, settings));
  return ids.every((id) => id !== undefined) ? ids : undefined;
}

function named(reading: Reading, node: Node, text: string, settings: NameSettings): string | undefined {
  if (text === OUTSIDE) return OUTSIDE;
  const id = workloadNamed(text, settings);
  return isProblem(id) ? void reading.report(node.at, `${node.name}: ${id.problem}`) : id;
}

function headersIn(reading: Reading, node: Node | undefined): ReadonlyMap<string, string | null> {
  if (node === undefined) return NONE;
  if (node.kind !== 'map') return expected(reading, node, 'a mapping of headers') ?? NONE;
  const wanted = new Map<string, string | null>();
  for (const [name, value] of node.entries) {
    if (value.kind === 'scalar' && value.value === null) wanted.set(name.toLowerCase(), null);
    else wanted.set(name.toLowerCase(), textOf(reading, value) ?? null);
  }
  return wanted;
}
