/**
 * Answer → bytes of a CheckResponse: the only place that makes one. For Envoy an empty CheckResponse, one without a status
 * and one whose code is 0 are all an OK, so a denial always carries a numeric code and a denied_response with a 4xx or 5xx
 * status, and its first bytes are looked at once more. Throws a fault, never repairs, where a header could be read by
 * the next party as something else. Does NOT decide anything and does NOT know which headers are ours.
 */
import { grpcCode, httpStatus } from '../model/reasons.js';
import type { DenyReason } from '../model/reasons.js';
import { CHECK_RESPONSE } from './proto.js';

export type HeaderPair = readonly [name: string, value: string];

/** Ends up as Envoy's dynamic metadata, in the namespace of the ext_authz filter. The keys are our own words. */
export type Metadata = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export type Answer =
  | {
      readonly kind: 'allow';
      /** Overwrites what the caller sent. */
      readonly set: readonly HeaderPair[];
      readonly remove: readonly string[];
      readonly metadata: Metadata;
    }
  | {
      readonly kind: 'deny';
      readonly reason: DenyReason;
      readonly headers: readonly HeaderPair[];
      readonly body: string;
      readonly metadata: Metadata;
    };

export function encodeAnswer(answer: Answer): Buffer {
  switch (answer.kind) {
    case 'allow':
      return encodeAllow(answer);
    case 'deny':
      return encodeDeny(answer);
  }
}

function encodeAllow(answer: Extract<Answer, { kind: 'allow' }>): Buffer {
  const names = answer.set.map(([name]) => name);
  const twice = [...names, ...new Set(answer.remove)].find((name, index, all) => all.indexOf(name) !== index);
  // Envoy removes after it sets, so a name in both lists would be gone; of two sets the last would win.
  if (twice !== undefined) throw new Error(`the answer names the header ${twice} twice`);
  return CHECK_RESPONSE.serialize({
    status: { code: 0 },
    ok_response: { headers: answer.set.map(overwrite), headers_to_remove: answer.remove.map(removable) },
    dynamic_metadata: struct(answer.metadata),
  });
}

function encodeDeny(answer: Extract<Answer, { kind: 'deny' }>): Buffer {
  const code = grpcCode(answer.reason);
  const status = httpStatus(answer.reason);
  if (code === 0 || status < 400) throw new Error(`${answer.reason} is no reason for a denial`);
  const bytes = CHECK_RESPONSE.serialize({
    status: { code },
    denied_response: {
      status: { code: status },
      headers: answer.headers.map((pair) => ({ header: header(pair) })),
      body: wellFormed(answer.body),
    },
    dynamic_metadata: struct(answer.metadata),
  });
  // Field 1, a message of two bytes: its field 1, the code. Every code is below 128.
  if (!bytes.subarray(0, 4).equals(Buffer.of(0x0a, 2, 0x08, code)))
    throw new Error('the denial was not encoded as one');
  return bytes;
}

const OVERWRITE_IF_EXISTS_OR_ADD = 2;

/** ext_authz reads `append` alone and overwrites where it is false; `append_action` says the same to whoever reads that. */
const overwrite = (pair: HeaderPair): object => ({
  header: header(pair),
  append: { value: false },
  append_action: OVERWRITE_IF_EXISTS_OR_ADD,
});

const NAME = /^[a-z0-9-]+$/;
/** Names of callers (`_` for `-`) and of configured places of tokens are removed too: RFC 9110 §5.6.2. */
const REMOVABLE = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
const CONTROL = /[\x00-\x1f\x7f]/;

/** Without validate_mutations Envoy writes CR and LF as they are, which makes two headers of one. */
function header([name, value]: HeaderPair): { key: string; value: string } {
  if (!NAME.test(name)) throw new Error(`${JSON.stringify(name)} is no name for a header of an answer`);
  if (CONTROL.test(value)) throw new Error(`the value for the header ${name} holds a control character`);
  return { key: name, value: wellFormed(value) };
}

function removable(name: string): string {
  if (!REMOVABLE.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a header to remove`);
  return name;
}

/** google.protobuf.Struct. */
const struct = (metadata: Metadata): object => ({
  fields: Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, metadataValue(key, value)])),
});

function metadataValue(key: string, value: Metadata[string]): object {
  if (typeof value === 'string') return { string_value: wellFormed(value) };
  if (typeof value === 'boolean') return { bool_value: value };
  if (typeof value !== 'number')
    return { list_value: { values: value.map((text) => ({ string_value: wellFormed(text) })) } };
  if (!Number.isFinite(value)) throw new Error(`the metadata ${key} is not a finite number`);
  return { number_value: value };
}

/**
 * Half a surrogate pair (a token's claim may hold one) would be encoded as bytes that are not UTF-8: Envoy could not
 * decode the answer, and takes that for an outage, not for a denial. It becomes U+FFFD.
 */
const wellFormed = (text: string): string =>
  /[\ud800-\udfff]/.test(text) ? Buffer.from(text, 'utf8').toString('utf8') : text;
