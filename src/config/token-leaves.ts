/** Parsers of single texts of a `tokens` entry. */
import { parseSpiffeId } from '../model/ids.js';
import type { IdentityRule } from '../model/settings.js';
import { no } from './leaf.js';
import type { Leaf } from './leaf.js';
import { quote } from './words.js';

/** RFC 6838 §4.2, as far as a `typ` needs it. */
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}(\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126})?$/;
/** RFC 9110 §5.6.2. */
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/;

/** RFC 7515 §4.1.9: types are compared without case, and `application/` may be left out. */
export function tokenType(text: string): Leaf<string> {
  const lower = text.toLowerCase();
  const short = lower.startsWith('application/') ? lower.slice('application/'.length) : lower;
  return MEDIA_TYPE.test(short)
    ? { value: short }
    : no(`expected a typ value, got ${quote(text)}`, 'for example at+jwt');
}

export function tokenPlace(text: string): Leaf<string> {
  if (text === 'authorization') return { value: text };
  const name = text.startsWith('header:') ? text.slice('header:'.length).toLowerCase() : undefined;
  if (name === undefined || !HEADER_NAME.test(name))
    return no(`expected authorization or header:NAME, got ${quote(text)}`, 'for example header:x-access-token');
  if (name === 'authorization') return no(`expected authorization, got ${quote(text)}`, 'write from: authorization');
  // Some servers read `_` as `-`, so neither spelling of ours carries a credential.
  const dashed = name.replaceAll('_', '-');
  if (dashed === 'x-forwarded-client-cert' || dashed.startsWith('x-firsthand-'))
    return no(`the header ${quote(name)} cannot carry a token`, 'it is written by Envoy or by the guard');
  return { value: name };
}

const TEMPLATES = '"{sub}", "spiffe://prod.example/ns/{ns}/sa/{name}" or kubernetes';

/** `{claim}` stands for a claim's value. The template as a whole must be one claim, or an ID whose form is right. */
export function identityRule(text: string): Leaf<IdentityRule> {
  if (text === 'kubernetes') return { value: { kind: 'kubernetes' } };
  const pieces = text.split(/(\{[^{}]+\})/).filter((piece) => piece !== '');
  const parts = pieces.map((piece) =>
    piece.startsWith('{') && piece.endsWith('}') ? { claim: piece.slice(1, -1) } : { text: piece },
  );
  if (parts.some((part) => 'text' in part && /[{}]/.test(part.text)))
    return no(`expected every { of the template to have its }, got ${quote(text)}`, `write ${TEMPLATES}`);
  if (!parts.some((part) => 'claim' in part))
    return no(`expected a template with a {claim}, got ${quote(text)}`, `write ${TEMPLATES}`);
  if (parts.length === 1) return { value: { kind: 'template', parts } };
  const sample = parts.map((part) => ('text' in part ? part.text : 'x')).join('');
  if (parseSpiffeId(sample) === undefined)
    return no(`expected one {claim} alone, or a template of a SPIFFE ID, got ${quote(text)}`, `write ${TEMPLATES}`);
  return { value: { kind: 'template', parts } };
}
