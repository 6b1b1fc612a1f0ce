/**
 * A recorded CheckRequest → its bytes. In: the content of a file: the bytes themselves, or JSON of the message with field
 * names in either of protobuf's spellings. Out: bytes for the engine, or what is wrong with the JSON. Bytes are taken as
 * they are: whether they are a CheckRequest, the engine says.
 */
import { CHECK_REQUEST } from '../wire/proto.js';

/** Keys below these are data of the request, not names of fields. */
const MAPS = new Set(['headers', 'context_extensions', 'labels', 'filter_metadata', 'typed_filter_metadata', 'fields']);

/** `name`: of the file, for its ending. */
export function readCapture(content: Uint8Array, name = ''): Uint8Array | { readonly problem: string } {
  if (!name.endsWith('.json') && !looksLikeJson(content)) return content;
  const message = parseJson(
    Buffer.from(content)
      .toString('utf8')
      .replace(/^\uFEFF/, ''),
  );
  if (typeof message !== 'object' || message === null) return { problem: 'it should be JSON, and is none' };
  const named = withFieldNames(message, 0);
  if (typeof named !== 'object' || named === null || !('attributes' in named))
    return { problem: 'it is JSON without "attributes", so no CheckRequest' };
  try {
    return CHECK_REQUEST.serialize(named);
  } catch (error) {
    return { problem: `it is no CheckRequest: ${error instanceof Error ? error.message : 'not encodable'}` };
  }
}

/** A CheckRequest begins with the tag of `attributes`, 0x0a: a line feed, which is why none may stand in front of the JSON. */
const looksLikeJson = (content: Uint8Array): boolean =>
  /^(\xef\xbb\xbf)?[ \t\r]*\{/.test(Buffer.from(content.subarray(0, 64)).toString('latin1'));

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** protobuf's JSON writes `headerMap` for `header_map`; a name in the wrong spelling would be dropped without a word. */
function withFieldNames(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > 32) return value;
  if (Array.isArray(value)) return value.map((item) => withFieldNames(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return [name, MAPS.has(name) && !isList(inner) ? inner : withFieldNames(inner, depth + 1)];
    }),
  );
}

/** `headers` is a map of a request, and a list of a header_map. */
const isList = (value: unknown): boolean => Array.isArray(value);
