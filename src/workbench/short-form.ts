/**
 * Words → Scenario: `GET /orders/1 --as frontend --via gateway --scopes orders.read`. In: the words of a command line or of a
 * case, and the settings that its names refer to. Out: a scenario that the forge takes, or what is wrong in one sentence,
 * and at which word. Who is not named with `--as` is not there: outside.
 */
import { parseDuration } from '../model/duration.js';
import type { Settings } from '../model/settings.js';
import { isProblem, OUTSIDE, scenarioProblem } from './names.js';
import type { NameSettings } from './names.js';
import type { Scenario, ScenarioToken } from './scenario.js';
import { at, quoted, readWords } from './short-form-words.js';
import type { Given, Value, WordProblem } from './short-form-words.js';

export { SHORT_FORM } from './short-form-words.js';

export type ScenarioSettings = NameSettings & Pick<Settings, 'tokens'>;

const ABOUT_TOKENS = ['--scopes', '--bound', '--age', '--issuer', '--claim'];

export function parseShortForm(words: readonly string[], settings: ScenarioSettings): Scenario | string {
  const read = readShortForm(words, settings);
  return isProblem(read) ? read.problem : read;
}

export function readShortForm(words: readonly string[], settings: ScenarioSettings): Scenario | WordProblem {
  const read = readWords(words);
  if (isProblem(read)) return read;
  const scenario = scenarioOf(read.plain, read.given, settings);
  if (isProblem(scenario)) return scenario;
  const wrong = scenarioProblem(scenario, settings);
  return wrong === undefined ? scenario : at(read.given.get(`--${wrong.about}`)?.[0]?.word ?? 0, wrong.problem);
}

function scenarioOf(plain: readonly Value[], given: Given, settings: ScenarioSettings): Scenario | WordProblem {
  const [method, path, more] = plain;
  if (method === undefined || path === undefined || method.text === '' || path.text === '')
    return at(0, `expected a method and a path, such as GET /orders/1, got ${quoted(method?.text ?? '')}`);
  if (more !== undefined)
    return at(more.word, `${quoted(more.text)} is one word too many: after the path come options`);
  const headers = every(given.get('--header'), readHeader, '--header: expected "NAME: VALUE"');
  if (isProblem(headers)) return headers;
  const token = tokenOf(given, settings);
  if (isProblem(token)) return token;
  const host = given.get('--host')?.[0]?.text;
  return asGrpc({
    method: method.text,
    path: path.text,
    ...(host === undefined ? {} : { host }),
    as: given.get('--as')?.[0]?.text ?? OUTSIDE,
    via: listed(given.get('--via')),
    ...(token === undefined ? {} : { token }),
    headers,
  });
}

/** All of them read, or the first that can't be. */
function every<T>(
  values: readonly Value[] = [],
  read: (text: string) => T | undefined,
  wanted: string,
): T[] | WordProblem {
  const all: T[] = [];
  for (const { text, word } of values) {
    const found = read(text);
    if (found === undefined) return at(word, `${wanted}, got ${quoted(text)}`);
    all.push(found);
  }
  return all;
}

const listed = (values: readonly Value[] = []): string[] => values.flatMap(({ text }) => splitList(text));

export const splitList = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '');

/** As scope lines name it: `GRPC shop.v1.Cart/Add`. */
export const asGrpc = (scenario: Scenario): Scenario =>
  scenario.method === 'GRPC'
    ? {
        ...scenario,
        method: 'POST',
        path: scenario.path.startsWith('/') ? scenario.path : `/${scenario.path}`,
        headers: [['content-type', 'application/grpc'], ...scenario.headers],
      }
    : scenario;

/** RFC 9110 §5.6.2 */
export const isHeaderName = (name: string): boolean => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);

function readHeader(text: string): readonly [string, string] | undefined {
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(colon, 0)).toLowerCase();
  return isHeaderName(name) ? [name, text.slice(colon + 1).trim()] : undefined;
}

function tokenOf(given: Given, { tokens }: ScenarioSettings): ScenarioToken | WordProblem | undefined {
  const about = ABOUT_TOKENS.find((name) => given.has(name));
  const none = given.get('--no-token')?.[0];
  if (none !== undefined)
    return about === undefined ? undefined : at(none.word, `--no-token and ${about} exclude each other`);
  // A configuration without issuers has no tokens to forget.
  if (about === undefined && tokens.length === 0) return undefined;
  const [duration] = given.get('--age') ?? [];
  const age = duration && parseDuration(duration.text);
  if (duration !== undefined && age === undefined)
    return at(duration.word, `--age: expected a duration such as 30s, 10m or 1h, got ${quoted(duration.text)}`);
  const claims = every(given.get('--claim'), readClaim, '--claim: expected NAME=VALUE');
  if (isProblem(claims)) return claims;
  const issuer = given.get('--issuer')?.[0]?.text;
  return {
    scopes: listed(given.get('--scopes')),
    bound: given.has('--bound'),
    ...(issuer === undefined ? {} : { issuer }),
    ...(age === undefined ? {} : { age }),
    ...(claims.length === 0 ? {} : { claims: Object.fromEntries(claims) }),
  };
}

function readClaim(text: string): readonly [string, unknown] | undefined {
  const equals = text.indexOf('=');
  return equals < 1 ? undefined : [text.slice(0, equals), claimValue(text.slice(equals + 1))];
}

/** JSON where it is JSON: numbers, true, null (takes the claim away), ["a"], {"a": 1}, "7"; any other text as it is. */
function claimValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
