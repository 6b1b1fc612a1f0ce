/**
 * What an https source loads: a document and its reader, or an issuer's discovery document and the keys that it names. In:
 * where, how, and the reader. Out: a value, that it is the same, or one sentence. What the reader refuses never replaces
 * anything, and is asked for anew in full.
 */
import { hash } from 'node:crypto';
import { discoveryUrl } from '../../model/from.js';
import type { Parse } from '../source.js';
import { fetchDocument } from './fetched.js';
import type { Fetched, Validators } from './fetched.js';
import type { Transport } from './https.js';
import { discoveredKeys } from './discovery.js';

export type Loaded<T> =
  /** `refreshAfter`: ms that the source asks for; undefined where it does not say. */
  | { readonly kind: 'value'; readonly value: T; readonly refreshAfter: number | undefined }
  | { readonly kind: 'unchanged'; readonly refreshAfter: number | undefined }
  | { readonly kind: 'failed'; readonly problem: string };

/** How connections are made is asked anew for each attempt: a changed CA file counts. */
export type Load<T> = (transport: Transport, ended: AbortSignal) => Promise<Loaded<T>>;

type Fetch = (known: Validators, transport: Transport, ended: AbortSignal) => Promise<Fetched>;

export const loadDocument = <T>(url: string, parse: Parse<T>): Load<T> =>
  loadWith((known, transport, ended) => fetchDocument(url, known, transport, ended), parse);

/**
 * Both documents each time, so that a `jwks_uri` that moves is followed. Only the keys are asked for with conditions, and
 * only where they are at the same place as before.
 */
export function loadDiscovered<T>(issuer: string, parse: Parse<T>): Load<T> {
  let before: string | undefined;
  return loadWith(async (known, transport, ended) => {
    const document = await fetchDocument(discoveryUrl(issuer), {}, transport, ended);
    if (document.kind !== 'text') return document;
    const found = discoveredKeys(document.text, issuer);
    if (!found.ok) return { kind: 'failed', problem: found.problem };
    const same = found.value === before;
    before = found.value;
    const keys = await fetchDocument(found.value, same ? known : {}, transport, ended);
    return keys.kind === 'failed' ? { kind: 'failed', problem: `its keys at ${found.value}: ${keys.problem}` } : keys;
  }, parse);
}

function loadWith<T>(fetch: Fetch, parse: Parse<T>): Load<T> {
  let known: Validators = {};
  let hint: number | undefined;
  let accepted: string | undefined;
  return async (transport, ended) => {
    const fetched = await fetch(known, transport, ended);
    if (fetched.kind === 'failed') return fetched;
    if (fetched.kind === 'unchanged') return { kind: 'unchanged', refreshAfter: hint ?? fetched.lifetime };
    const text = hash('sha256', fetched.text);
    // Many servers know no validators; a new value would throw away every decision that was made with the old one.
    if (text === accepted) {
      known = fetched.validators;
      return { kind: 'unchanged', refreshAfter: hint ?? fetched.lifetime };
    }
    [known, accepted] = [{}, undefined];
    const parsed = await parse(fetched.text);
    if (!parsed.ok) return { kind: 'failed', problem: parsed.problem };
    [known, hint, accepted] = [fetched.validators, parsed.refreshAfter, text];
    return { kind: 'value', value: parsed.value, refreshAfter: hint ?? fetched.lifetime };
  };
}
