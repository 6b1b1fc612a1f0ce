/** Building blocks of the schema: sections, lists, words, numbers, and words that are known but not yet supported. */
import * as z from 'zod';
import type { Address } from '../model/settings.js';
import { no, withHint } from './leaf.js';
import type { Leaf } from './leaf.js';
import { either, notYet, quote, shown } from './words.js';

type Issue = z.core.$ZodRawIssue;

/** A mapping with these keys and no other. For an unknown key the message carries the known ones; shape.ts reads them. */
export const section = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue: Issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(' ') : undefined),
  });

export function list<Entry extends z.ZodType>(entry: Entry, least = 0) {
  return least === 0 ? z.array(entry) : z.array(entry).min(least);
}

export const word = <const Words extends readonly [string, ...string[]]>(words: Words) => z.enum(words);

export function count(least: number, most: number) {
  const error = (issue: Issue) => `expected a whole number from ${least} to ${most}, got ${shown(issue.input)}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

/** Words of which some work today; `isLater` knows the rest. */
const laterIf = <const Words extends readonly [string, ...string[]]>(
  today: Words,
  isLater: (value: unknown) => boolean,
) =>
  z.enum(today, {
    error: (issue: Issue) =>
      issue.input !== null && issue.input !== undefined && isLater(issue.input)
        ? withHint(notYet(issue.input), `leave it out, or write ${either(today)}`)
        : undefined,
  });

export const later = <const Word extends string>(today: Word, words: readonly string[]) =>
  laterIf([today], (value) => words.some((each) => each === value));

const LEAVE_OUT = 'leave it out, or write ';

/** A key that can only be written as null yet. */
export const laterNull = () =>
  z.null({ error: (issue: Issue) => withHint(notYet(issue.input), `${LEAVE_OUT}null`) }).prefault(null);

/** A key that can only be written empty yet. */
export function laterEmpty(kind: 'list' | 'mapping' = 'list') {
  const empty = kind === 'list' ? '[]' : '{}';
  const error = () => withHint(`anything but ${empty} is not yet supported`, `${LEAVE_OUT}${empty}`);
  return kind === 'list'
    ? z.array(z.unknown()).max(0, { error }).prefault([])
    : z
        .record(z.string(), z.unknown())
        .refine((value) => Object.keys(value).length === 0, { error })
        .prefault({});
}

/** One address or several. */
export function addressList(parse: (text: string) => Leaf<Address>) {
  const error = (issue: Issue) =>
    withHint(`expected an address or a list of addresses, got ${shown(issue.input)}`, 'each is unix:PATH or HOST:PORT');
  return z.union([z.string(), z.array(z.string())], { error }).transform((input, context): Address[] => {
    const texts = typeof input === 'string' ? [input] : input;
    if (texts.length === 0)
      context.issues.push({ code: 'custom', message: 'expected at least one address, got an empty list', input });
    return texts.flatMap((text, index) => {
      const parsed = parse(text);
      if ('value' in parsed) return [parsed.value];
      const path = typeof input === 'string' ? [] : [index];
      context.issues.push({ code: 'custom', message: withHint(parsed.problem, parsed.hint), input: text, path });
      return [];
    });
  });
}

const OVERRIDE_HEADERS = [
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
];

export function allowHeader(text: string): Leaf<string> {
  const name = text.toLowerCase();
  if (OVERRIDE_HEADERS.includes(name)) return { value: name };
  return no(`expected a header that is otherwise refused, got ${quote(text)}`, `one of ${either(OVERRIDE_HEADERS)}`);
}
