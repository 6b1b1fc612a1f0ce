/**
 * Header lines from either encoding: the map `headers` (repeated lines joined by Envoy), or the list `header_map`
 * (encode_raw_headers). In: the bytes and where the two lie. Out: one form for both. Refuses as `header_ambiguous` what
 * decoders would settle silently: both encodings filled, one key twice in the map, a line with both kinds of value; as
 * `limit_exceeded` a line or an x-forwarded-client-cert that is too long; as `request_malformed` names that are none.
 * Bytes of a raw value that are not UTF-8 become U+FFFD: most headers concern nobody, and no credential accepts that
 * character. Does NOT judge any value.
 */
import { headersOf } from '../model/attributes.js';
import type { Headers } from '../model/attributes.js';
import { ok, refuse } from '../model/result.js';
import type { Result } from '../model/result.js';
import { findFields, malformed, shapeOf, textAt } from './message.js';
import type { Range } from './message.js';

/** Contract section 9. A line is counted with its name; the lines of one x-forwarded-client-cert together. */
const MAX_LINE_BYTES = 64 * 1024;
const MAX_XFCC_BYTES = 64 * 1024;
const XFCC = 'x-forwarded-client-cert';

/** Visible ASCII: field names (RFC 9110 §5.1) and the pseudo headers, and before they are put in lower case, which turns U+212A into k. */
const NAME = /^[\x21-\x7e]+$/;

const HEADER_MAP = shapeOf('header_map', {}, { headers: 1 });
const MAP_ENTRY = shapeOf('headers', { key: 1, value: 2 });
const HEADER_VALUE = shapeOf('header', { key: 1, value: 2, raw_value: 3 });

const NOTHING: Range = { from: 0, to: 0 };

type HeaderLine = readonly [name: string, value: string];

export function readHeaders(bytes: Buffer, entries: readonly Range[], headerMap: Range | undefined): Result<Headers> {
  const list = findFields(bytes, headerMap ?? NOTHING, HEADER_MAP);
  if (!list.ok) return list;
  const values = list.value.many.headers ?? [];
  if (entries.length > 0 && values.length > 0)
    return refuse('header_ambiguous', 'both headers and header_map hold lines');
  const lines = values.length > 0 ? linesOfList(bytes, values) : linesOfMap(bytes, entries);
  if (!lines.ok) return lines;
  const xfcc = lines.value.reduce((sum, [name, value]) => sum + (name === XFCC ? Buffer.byteLength(value) : 0), 0);
  if (xfcc > MAX_XFCC_BYTES) return refuse('limit_exceeded', `${XFCC} has ${xfcc} bytes in all`);
  return ok(headersOf(lines.value));
}

/** Decoders of a map keep the last of two entries with one key; Envoy never writes two. */
function linesOfMap(bytes: Buffer, entries: readonly Range[]): Result<HeaderLine[]> {
  const lines = new Map<string, HeaderLine>();
  for (const range of entries) {
    const entry = findFields(bytes, range, MAP_ENTRY);
    if (!entry.ok) return entry;
    const line = readLine(bytes, entry.value.one.key, entry.value.one.value, 'text');
    if (!line.ok) return line;
    const [name] = line.value;
    if (lines.has(name)) return refuse('header_ambiguous', `headers holds ${JSON.stringify(name)} twice`);
    lines.set(name, line.value);
  }
  return ok([...lines.values()]);
}

function linesOfList(bytes: Buffer, values: readonly Range[]): Result<HeaderLine[]> {
  const lines: HeaderLine[] = [];
  for (const range of values) {
    const header = findFields(bytes, range, HEADER_VALUE);
    if (!header.ok) return header;
    const { key, value, raw_value: raw } = header.value.one;
    if (!isEmpty(value) && !isEmpty(raw)) return refuse('header_ambiguous', 'a line has both a value and a raw_value');
    const line = isEmpty(raw) ? readLine(bytes, key, value, 'text') : readLine(bytes, key, raw, 'raw');
    if (!line.ok) return line;
    lines.push(line.value);
  }
  return ok(lines);
}

const isEmpty = (range: Range | undefined): boolean => range === undefined || range.from === range.to;

function readLine(
  bytes: Buffer,
  key: Range | undefined,
  valueRange: Range | undefined,
  kind: 'text' | 'raw',
): Result<HeaderLine> {
  const length = lengthOf(key) + lengthOf(valueRange);
  if (length > MAX_LINE_BYTES)
    return refuse('limit_exceeded', `a header line has ${length} bytes, at most ${MAX_LINE_BYTES} are read`);
  const written = repaired(bytes, key);
  if (!NAME.test(written)) return malformed(`${JSON.stringify(written.slice(0, 64))} is no header name`);
  const name = written.toLowerCase();
  const value = kind === 'raw' ? repaired(bytes, valueRange) : textAt(bytes, valueRange);
  if (value === undefined) return malformed(`the value of ${JSON.stringify(name.slice(0, 64))} is not UTF-8`);
  return ok([name, value]);
}

const lengthOf = (range: Range | undefined): number => (range === undefined ? 0 : range.to - range.from);
const repaired = (bytes: Buffer, range: Range | undefined): string =>
  range === undefined ? '' : bytes.toString('utf8', range.from, range.to);
