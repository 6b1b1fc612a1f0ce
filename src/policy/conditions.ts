import type { Conditions } from '../model/policy.js';
import { quoted, read, unreadable } from './issue.js';
import type { Reading } from './issue.js';
import { readAge, readBound, readData, readEnvironments, readFrom, readHosts, readVia } from './condition-values.js';
import { nearest } from '../model/nearest.js';

/**
 * One CONDITION word. In: its text. Out: the part of `Conditions` that it sets. Refuses unknown names, names that come
 * later, and values that nothing could satisfy. Whether the condition fits its line is asked in grammar.ts.
 */
export interface Condition {
  readonly name: string;
  readonly part: Partial<Conditions>;
}

export const NO_CONDITIONS: Conditions = {
  from: null,
  via: null,
  host: null,
  env: null,
  maxAge: null,
  data: null,
  bound: null,
  fresh: false,
  once: false,
  upgrade: false,
};

interface Reader {
  /** As users write it, for hints. */
  readonly form: string;
  /** '' for a bare word. */
  readonly operator: '=' | '<=' | '';
  readonly read: (value: string) => Reading<Partial<Conditions>>;
}

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['from', { form: 'from=ns/shop/sa/*', operator: '=', read: readFrom }],
  ['via', { form: 'via=ns/edge/sa/gateway,direct', operator: '=', read: readVia }],
  ['host', { form: 'host=orders.example', operator: '=', read: readHosts }],
  ['env', { form: 'env=prod', operator: '=', read: readEnvironments }],
  ['age', { form: 'age<=5m', operator: '<=', read: readAge }],
  ['data', { form: 'data=internal', operator: '=', read: readData }],
  ['bound', { form: 'bound', operator: '', read: () => read({ bound: 'any' }) }],
  ['fresh', { form: 'fresh', operator: '', read: () => read({ fresh: true }) }],
  ['once', { form: 'once', operator: '', read: () => read({ once: true }) }],
  ['upgrade', { form: 'upgrade', operator: '', read: () => read({ upgrade: true }) }],
]);

const LATER: ReadonlySet<string> = new Set(['kind', 'purpose', 'when']);
const FORM = /^([^<>=]*)([<>]?=?)(.*)$/s;

export function readCondition(text: string): Reading<Condition> {
  const [, name = '', operator = '', value = ''] = FORM.exec(text) ?? [];
  if (LATER.has(name) && operator !== '') return unreadable('not_supported', `${name}= is not yet supported`);
  const reader = READERS.get(name);
  if (reader === undefined) return unknown(name);
  if (name === 'bound' && operator === '=') return named(name, readBound(value));
  if (operator !== reader.operator)
    return unreadable(
      'condition_value',
      `expected ${reader.form}, got ${quoted(text)}`,
      `write it like ${reader.form}`,
    );
  return named(name, reader.read(value));
}

/** Whether a word in the place of SCOPES is a condition: the scopes were forgotten. */
export function isConditionWord(text: string): boolean {
  const [, name = '', operator = ''] = FORM.exec(text) ?? [];
  return operator === '' ? READERS.get(name)?.operator === '' : READERS.has(name) || LATER.has(name);
}

const named = (name: string, part: Reading<Partial<Conditions>>): Reading<Condition> =>
  part.ok ? read({ name, part: part.value }) : part;

function unknown(name: string): Reading<never> {
  const near = nearest(name, READERS.keys());
  const form = near === undefined ? undefined : READERS.get(near)?.form;
  const hint = form === undefined ? `known are ${[...READERS.keys()].join(', ')}` : `did you mean ${form}?`;
  return unreadable('condition_unknown', `expected a condition, got ${quoted(name)}`, hint);
}
