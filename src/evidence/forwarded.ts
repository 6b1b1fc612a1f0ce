/**
 * Reads x-forwarded-client-cert, text or JSON, into elements from the oldest hop to the newest.
 * In: the header's value. Out: syntactically right elements. Refuses: `xfcc_malformed` for anything that Envoy would not
 * write, `limit_exceeded` beyond 64 KiB or 16 elements. Does NOT check who wrote an element, whether elements link, or
 * whether a URI is a SPIFFE ID: all of it is hearsay until origin/ has walked it.
 */
import type { ForwardedElement } from '../model/evidence.js';
import { ok, refuse } from '../model/result.js';
import type { Result } from '../model/result.js';
import { checkElement, malformed, RAW } from './forwarded-element.js';
import type { RawElement } from './forwarded-element.js';
import { readJsonElements } from './forwarded-json.js';

/** Contract section 9. */
const MAX_BYTES = 64 * 1024;
const MAX_ELEMENTS = 16;

export function readForwarded(text: string): Result<readonly ForwardedElement[]> {
  if (text === '') return ok([]);
  if (Buffer.byteLength(text) > MAX_BYTES) return refuse('limit_exceeded', 'x-forwarded-client-cert is over 64 KiB');
  const json = text.startsWith('[') && text.endsWith(']');
  const read = json ? readJsonElements(text) : readTextElements(text);
  if (!read.ok) return read;
  if (read.value.length > MAX_ELEMENTS) {
    return refuse(
      'limit_exceeded',
      `x-forwarded-client-cert has ${read.value.length} elements, at most ${MAX_ELEMENTS}`,
    );
  }
  return read;
}

const QUOTED_KEYS = new Set(['cert', 'chain', 'subject', 'issuer']);

type Field = { readonly key: string; readonly value: string; readonly quoted: boolean };

/** element *("," element); element = field *(";" field). Left to right, no second try. */
function readTextElements(text: string): Result<readonly ForwardedElement[]> {
  const elements: ForwardedElement[] = [];
  let fields: Field[] = [];
  let at = 0;
  for (;;) {
    const field = readField(text, at);
    if (typeof field === 'string') return malformed(field);
    fields.push(field.field);
    const separator = text[field.end];
    if (separator !== ';') {
      const element = elementOf(fields);
      if (!element.ok) return element;
      elements.push(element.value);
      fields = [];
    }
    if (separator === undefined) return ok(elements);
    at = field.end + 1;
  }
}

/** key "=" (raw / quoted), up to the next separator or the end; or what is wrong. */
function readField(text: string, start: number): { readonly field: Field; readonly end: number } | string {
  const equals = text.indexOf('=', start);
  const key = equals < 0 ? '' : text.slice(start, equals).toLowerCase();
  if (!/^[a-z]+$/.test(key)) return 'a field has no name';
  if (text[equals + 1] !== '"') {
    const end = endOfRaw(text, equals + 1);
    return { field: { key, value: text.slice(equals + 1, end), quoted: false }, end };
  }
  const close = closingQuote(text, equals + 2);
  if (close < 0) return 'a quote is never closed';
  const next = text[close + 1];
  if (next !== undefined && next !== ',' && next !== ';') return 'text follows a closing quote';
  return { field: { key, value: unescape(text.slice(equals + 2, close)), quoted: true }, end: close + 1 };
}

function endOfRaw(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) if (text[at] === ',' || text[at] === ';') return at;
  return text.length;
}

function closingQuote(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return -1;
}

const unescape = (quoted: string): string => quoted.replace(/\\(.)/gs, '$1');

function elementOf(fields: readonly Field[]): Result<ForwardedElement> {
  const raw: RawElement = { by: [], uri: [], dns: [] };
  for (const field of fields) {
    const problem = takeField(raw, field);
    if (problem !== undefined) return malformed(problem);
  }
  return checkElement(raw);
}

function takeField(raw: RawElement, { key, value, quoted }: Field): string | undefined {
  if (quoted !== QUOTED_KEYS.has(key)) return quoted ? 'a field is quoted that Envoy writes bare' : bareProblem(key);
  if (!quoted && value !== '' && !RAW.test(value)) return 'a bare value holds a character that separates fields';
  switch (key) {
    case 'by':
    case 'uri':
    case 'dns':
      raw[key].push(value);
      return undefined;
    case 'hash':
    case 'cert':
    case 'chain':
    case 'subject':
    case 'issuer':
      if (raw[key] !== undefined) return `the field ${key} comes twice in one element`;
      raw[key] = key === 'cert' || key === 'chain' ? (decodePem(value) ?? '') : value;
      return raw[key] === '' && key !== 'subject' && key !== 'issuer'
        ? `the field ${key} is empty or broken`
        : undefined;
    default:
      return 'a field has a name that Envoy does not write';
  }
}

const bareProblem = (key: string): string => `the field ${key} is not quoted`;

/** Cert and Chain are percent-encoded PEM (Envoy: space, newline, `+`, `/`, `=` and more). */
function decodePem(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
