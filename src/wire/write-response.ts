/**
 * Answer → bytes of a CheckResponse: the only place that makes one. For Envoy an empty CheckResponse, one without a status
 * and one whose code is 0 are all an OK, so a denial always carries a numeric code and a denied_response with a 4xx or 5xx
 * status, and its first bytes are looked at once more. Throws a fault, never repairs, where a header could be read by
 * the next party as something else. Does NOT decide anything and does NOT know which headers are ours.
 */
import { grpcCode, httpStatus } from '../model/reasons.js';
import type { DenyReason } from '../model/reasons.js';
import { delimited, double, integer, toBytes, utf8 } from './encode.js';
import { FIELDS } from './field-numbers.js';

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

const { status, denied_response, ok_response, dynamic_metadata } = FIELDS['envoy.service.auth.v3.CheckResponse'];
const RESPONSE = {
  status: delimited(status[0]),
  denied: delimited(denied_response[0]),
  allowed: delimited(ok_response[0]),
  metadata: delimited(dynamic_metadata[0]),
};
const RPC_CODE = integer(FIELDS['google.rpc.Status'].code[0]);

function encodeAllow(answer: Extract<Answer, { kind: 'allow' }>): Buffer {
  const names = answer.set.map(([name]) => name);
  const twice = [...names, ...new Set(answer.remove)].find((name, index, all) => all.indexOf(name) !== index);
  // Envoy removes after it sets, so a name in both lists would be gone; of two sets the last would win.
  if (twice !== undefined) throw new Error(`the answer names the header ${twice} twice`);
  const allowed = textOf(answer.set, overwrite) + textOf(answer.remove, removable);
  return toBytes(RESPONSE.status(RPC_CODE(0)) + RESPONSE.allowed(allowed) + RESPONSE.metadata(struct(answer.metadata)));
}

const DENIED = FIELDS['envoy.service.auth.v3.DeniedHttpResponse'];
const DENIED_STATUS = delimited(DENIED.status[0]);
const DENIED_HEADER = delimited(DENIED.headers[0]);
const DENIED_BODY = delimited(DENIED.body[0]);
const HTTP_CODE = integer(FIELDS['envoy.type.v3.HttpStatus'].code[0]);

function encodeDeny(answer: Extract<Answer, { kind: 'deny' }>): Buffer {
  const code = grpcCode(answer.reason);
  const status = httpStatus(answer.reason);
  if (code === 0 || status < 400) throw new Error(`${answer.reason} is no reason for a denial`);
  const headers = textOf(answer.headers, (pair) => DENIED_HEADER(OPTION_HEADER(header(pair))));
  const denied = DENIED_STATUS(HTTP_CODE(status)) + headers + DENIED_BODY(utf8(answer.body));
  const bytes = toBytes(
    RESPONSE.status(RPC_CODE(code)) + RESPONSE.denied(denied) + RESPONSE.metadata(struct(answer.metadata)),
  );
  // Field 1, a message of two bytes: its field 1, the code. Every code is below 128.
  if (bytes.readUInt32BE(0) !== 0x0a020800 + code) throw new Error('the denial was not encoded as one');
  return bytes;
}

function textOf<T>(items: readonly T[], encode: (item: T) => string): string {
  let text = '';
  for (const item of items) text += encode(item);
  return text;
}

const OPTION = FIELDS['envoy.config.core.v3.HeaderValueOption'];
const OPTION_HEADER = delimited(OPTION.header[0]);
const OVERWRITE_IF_EXISTS_OR_ADD = 2;
/** ext_authz reads `append` alone and overwrites where it is false; `append_action` says the same to whoever reads that. */
const OVERWRITES =
  delimited(OPTION.append[0])(integer(FIELDS['google.protobuf.BoolValue'].value[0])(0)) +
  integer(OPTION.append_action[0])(OVERWRITE_IF_EXISTS_OR_ADD);

const ALLOWED = FIELDS['envoy.service.auth.v3.OkHttpResponse'];
const ALLOWED_HEADER = delimited(ALLOWED.headers[0]);
const ALLOWED_REMOVE = delimited(ALLOWED.headers_to_remove[0]);
const overwrite = (pair: HeaderPair): string => ALLOWED_HEADER(OPTION_HEADER(header(pair)) + OVERWRITES);

const NAME = /^[a-z0-9-]+$/;
/** Names of callers (`_` for `-`) and of configured places of tokens are removed too: RFC 9110 §5.6.2. */
const REMOVABLE = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;
const CONTROL = /[\x00-\x1f\x7f]/;

const HEADER_VALUE = FIELDS['envoy.config.core.v3.HeaderValue'];
const HEADER_KEY = delimited(HEADER_VALUE.key[0]);
const HEADER_TEXT = delimited(HEADER_VALUE.value[0]);

/** Without validate_mutations Envoy writes CR and LF as they are, which makes two headers of one. */
function header([name, value]: HeaderPair): string {
  if (!NAME.test(name)) throw new Error(`${JSON.stringify(name)} is no name for a header of an answer`);
  if (CONTROL.test(value)) throw new Error(`the value for the header ${name} holds a control character`);
  return HEADER_KEY(name) + HEADER_TEXT(utf8(value));
}

function removable(name: string): string {
  if (!REMOVABLE.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a header to remove`);
  return ALLOWED_REMOVE(name);
}

const STRUCT_ENTRY = delimited(FIELDS['google.protobuf.Struct'].fields[0]);
const ENTRY_KEY = delimited(FIELDS['google.protobuf.Struct.Fields'].key[0]);
const ENTRY_VALUE = delimited(FIELDS['google.protobuf.Struct.Fields'].value[0]);
const VALUE = FIELDS['google.protobuf.Value'];
const NUMBER = double(VALUE.number_value[0]);
const TEXT = delimited(VALUE.string_value[0]);
const BOOL = integer(VALUE.bool_value[0]);
const LIST = delimited(VALUE.list_value[0]);
const LIST_VALUE = delimited(FIELDS['google.protobuf.ListValue'].values[0]);

/** google.protobuf.Struct. */
function struct(metadata: Metadata): string {
  let text = '';
  for (const [key, value] of Object.entries(metadata))
    text += STRUCT_ENTRY(ENTRY_KEY(key) + ENTRY_VALUE(metadataValue(key, value)));
  return text;
}

function metadataValue(key: string, value: Metadata[string]): string {
  if (typeof value === 'string') return TEXT(utf8(value));
  if (typeof value === 'boolean') return BOOL(value ? 1 : 0);
  if (typeof value !== 'number') return LIST(textOf(value, (text) => LIST_VALUE(TEXT(utf8(text)))));
  if (!Number.isFinite(value)) throw new Error(`the metadata ${key} is not a finite number`);
  return NUMBER(value);
}
