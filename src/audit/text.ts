/**
 * Text as records and logs may hold it. In: any text or list. Out: at most 1 KiB of UTF-8 (a list: 32 entries), cut with
 * a mark, without anything shaped like a token or a PEM block. Does NOT know what a secret is otherwise: fields are
 * chosen one by one by the callers, this is the net below them (test/audit/canary.test.ts).
 */
export const MAX_TEXT_BYTES = 1024;
export const MAX_LIST = 32;
const MARK = '…';
/** What lies beyond is cut off in any case; the bound keeps the patterns from walking over a megabyte. */
const MAX_SCANNED = 16 * 1024;

/** Base64url of `{"`, or of `{` and white space followed by a second part: how every compact JWS begins (RFC 7515 §3.1). */
const TOKEN = /(?:eyJ[\w-]{8,}|e(?:yA|wo|wk|w0)[\w-]{12,}\.[\w-]{12,})[\w.=-]*/g;
const PEM = /-----BEGIN[^]*?(?:-----END[^-]*-----|$)/g;
const SUSPECT = /ey[JA]|ew[ok0]|-----BEGIN/;

const encoder = new TextEncoder();

export function text(value: string): string {
  return cut(withoutSecrets(value));
}

export function list(values: readonly string[]): string[] {
  if (values.length <= MAX_LIST) return values.map(text);
  return [...values.slice(0, MAX_LIST - 1).map(text), MARK];
}

function withoutSecrets(value: string): string {
  if (!SUSPECT.test(value)) return value;
  return value.slice(0, MAX_SCANNED).replace(PEM, '[pem]').replace(TOKEN, '[token]');
}

function cut(value: string): string {
  // A UTF-16 unit is at most three bytes of UTF-8.
  if (value.length * 3 <= MAX_TEXT_BYTES || Buffer.byteLength(value) <= MAX_TEXT_BYTES) return value;
  const room = new Uint8Array(MAX_TEXT_BYTES - Buffer.byteLength(MARK));
  return value.slice(0, encoder.encodeInto(value, room).read) + MARK;
}

/** ISO 8601 with milliseconds; undefined for a time that no calendar has. */
export function isoTime(time: number | undefined): string | undefined {
  return time === undefined || !(Math.abs(time) <= 8.64e15) ? undefined : new Date(time).toISOString();
}

/** The same fields without those that have no value. */
export function present<T extends object>(fields: { readonly [K in keyof T]-?: T[K] | undefined }): T {
  const given: Partial<T> = {};
  for (const name in fields) if (fields[name] !== undefined) given[name] = fields[name];
  return given as T;
}
