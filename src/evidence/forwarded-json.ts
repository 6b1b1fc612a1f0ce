/**
 * The JSON format of x-forwarded-client-cert (Envoy: set_current_client_cert_details.format JSON): an array of flat
 * objects with lower-case keys; `by`, `uri` and `dns` are arrays of text, the rest is text, PEM is not percent-encoded.
 */
import type { ForwardedElement } from '../model/evidence.js';
import { ok } from '../model/result.js';
import type { Result } from '../model/result.js';
import { checkElement, malformed } from './forwarded-element.js';
import type { RawElement } from './forwarded-element.js';

export function readJsonElements(text: string): Result<readonly ForwardedElement[]> {
  const objects = parseObjects(text);
  if (objects === undefined) return malformed('it is no JSON array of objects');
  // JSON.parse keeps the last of two equal keys without a word; two readers would differ.
  if (countKeys(text) !== objects.reduce((sum, object) => sum + Object.keys(object).length, 0)) {
    return malformed('a key comes twice in one element');
  }
  const elements: ForwardedElement[] = [];
  for (const object of objects) {
    const raw = rawElement(object);
    if (typeof raw === 'string') return malformed(raw);
    const element = checkElement(raw);
    if (!element.ok) return element;
    elements.push(element.value);
  }
  return ok(elements);
}

function parseObjects(text: string): readonly object[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = (item: unknown): item is object =>
      typeof item === 'object' && item !== null && !Array.isArray(item);
    return Array.isArray(value) && value.length > 0 && value.every(isObject) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Strings that a colon follows. The text is valid JSON here, so strings can be told from the rest by their quotes. */
function countKeys(text: string): number {
  let count = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/gs)) if (colon !== undefined) count += 1;
  return count;
}

function rawElement(object: object): RawElement | string {
  const raw: RawElement = { by: [], uri: [], dns: [] };
  for (const [key, value] of Object.entries(object) as [string, unknown][]) {
    switch (key) {
      case 'by':
      case 'uri':
      case 'dns':
        if (!isTexts(value)) return `the key ${key} is no list of text`;
        raw[key] = [...value];
        break;
      case 'hash':
      case 'cert':
      case 'chain':
      case 'subject':
      case 'issuer':
        if (typeof value !== 'string' || value === '') return `the key ${key} is no text, or empty`;
        raw[key] = value;
        break;
      default:
        return 'a key has a name that Envoy does not write';
    }
  }
  return raw;
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '');
