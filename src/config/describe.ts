/** zod's issues in our words: "expected X, got Y". A message may carry its hint behind a line break (leaf.ts). */
import type * as z from 'zod';
import { withHint } from './leaf.js';
import { nearestHint } from './nearest.js';
import { either, quote, shown } from './words.js';

type Issue = z.core.$ZodRawIssue;

const NOUNS = new Map([
  ['string', 'a text'],
  ['boolean', 'true or false'],
  ['object', 'a mapping'],
  ['record', 'a mapping'],
  ['array', 'a list'],
  ['null', 'null'],
]);

export function describe(issue: Issue): string {
  if (issue.code === 'invalid_type') return wrongType(NOUNS.get(issue.expected) ?? issue.expected, issue.input);
  if (issue.code === 'invalid_value') return wrongWord(issue.values.map(String), issue.input);
  if (issue.code === 'too_small') return 'expected at least one entry, got an empty list';
  return `this value is not accepted: ${shown(issue.input)}`;
}

function wrongType(expected: string, input: unknown): string {
  if (input === undefined) return `is required: expected ${expected}`;
  return withHint(`expected ${expected}, got ${shown(input)}`, typeHint(expected, input));
}

function typeHint(expected: string, input: unknown): string | undefined {
  if (input === null) return 'give it a value, or remove the key';
  if (expected === 'a text' && typeof input === 'number')
    return `write it in quotes, a duration with its unit: "${input}s"`;
  if (expected === 'a text' && typeof input !== 'object') return 'write it in quotes';
  if (expected === 'a list' && typeof input === 'string') return `write it as a list: [${quote(input)}]`;
  if (expected === 'true or false' && typeof input === 'string')
    return 'write it without quotes; values from ${NAME} are always text';
  return undefined;
}

function wrongWord(words: readonly string[], input: unknown): string {
  if (input === undefined) return `is required: expected ${either(words)}`;
  const message = `expected ${either(words)}, got ${shown(input)}`;
  if (typeof input !== 'string')
    return withHint(message, typeof input === 'boolean' ? 'write it in quotes' : undefined);
  return withHint(message, unsafeAlgorithm(input, words) ?? nearestHint(input, words));
}

/** RFC 8725 §3.1: a token that nobody signed, or that everyone who verifies could have signed. */
function unsafeAlgorithm(input: string, words: readonly string[]): string | undefined {
  if (!words.includes('ES256')) return undefined;
  if (/^none$/i.test(input)) return 'a token with the algorithm none is not signed, so anyone could have written it';
  if (/^hs\d+$/i.test(input)) return 'HMAC keys are shared secrets: whoever can verify a token could have written it';
  return undefined;
}
