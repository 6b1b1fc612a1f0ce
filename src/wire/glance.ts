/**
 * One glance at the bytes of a CheckRequest: where the few things lie that tell whether the same was asked before. Nothing is
 * copied, and no text is made. In: bytes. Out: whether the request is an ordinary one, and then its places in `seen`.
 * It refuses nothing and allows nothing: whatever is unusual (another form, a name in capitals or twice, a header that
 * somebody may read as ours or as an override, a text beyond ASCII, a limit in reach) is read by read-request.ts instead,
 * which alone says what is wrong with it. What is ordinary here is read alike there: test/wire/glance.test.ts.
 */
import { ALIKE, createNameTable } from './name-table.js';
import { forget, nothingSeen } from './seen.js';
import type { Seen } from './seen.js';

export interface Glance {
  readonly seen: Seen;
  /** False: not an ordinary request, and `seen` says nothing. */
  look(bytes: Uint8Array): boolean;
}

export interface GlanceOptions {
  /** Headers that may hold a token, in lower case. */
  readonly credentials: readonly string[];
  /** The header that tells of earlier hops. */
  readonly forwarded: string;
  /** Whoever sends one of these, or one that differs in `_` and `-` alone, is not ordinary. */
  readonly suspects: readonly string[];
  /** Of those above that are let through as they are spelled. */
  readonly allowed: readonly string[];
}

/** Well within what read-request.ts reads. */
const MAX_BYTES = 512 * 1024;
const MAX_VALUE = 32 * 1024;
const MAX_NAME = 1024;
const MAX_HEADERS = 96;

/** What a name is to us, if anything. Credentials count on from the last one. */
const LET_THROUGH = 1;
const SUSPECT = 2;
const FORWARDED = 3;
const CONTENT_TYPE = 4;
const TRACEPARENT = 5;
const REQUEST_ID = 6;
const CREDENTIAL = 7;

/** Tags of one byte: field number and wire type 2, as in field-numbers.ts. */
const tag = (number: number): number => number * 8 + 2;
const [ATTRIBUTES, SOURCE, DESTINATION, REQUEST, HTTP] = [tag(1), tag(1), tag(2), tag(4), tag(2)];
const [PRINCIPAL, CERTIFICATE] = [tag(4), tag(5)];
const [METHOD, HEADERS, PATH, HOST, HEADER_MAP] = [tag(2), tag(3), tag(4), tag(5), tag(13)];
const [LINE, KEY, VALUE, RAW_VALUE] = [tag(1), tag(1), tag(2), tag(3)];

/** A bit for each field number that is looked at: with another wire type it is no CheckRequest. */
const bits = (...tags: readonly number[]): number => tags.reduce((sum, each) => sum | (1 << (each >> 3)), 0);
const IN_TOP = bits(ATTRIBUTES);
const IN_ATTRIBUTES = bits(SOURCE, DESTINATION, REQUEST);
const IN_REQUEST = bits(HTTP);
const IN_PEER = bits(PRINCIPAL, CERTIFICATE);
const IN_HTTP = bits(METHOD, HEADERS, PATH, HOST, HEADER_MAP);
const IN_MAP = bits(LINE);
const IN_ENTRY = bits(KEY, VALUE);
const IN_LINE = bits(KEY, VALUE, RAW_VALUE);

const QUESTION_MARK = 0x3f;
const GRPC = Buffer.from('application/grpc');

/** A glance of its own for each guard. Undefined where one header would have two roles: then nothing is ordinary. */
export function createGlance(options: GlanceOptions): Glance | undefined {
  const numbers = rolesOf(options);
  if (numbers === undefined) return undefined;
  const table = createNameTable(numbers);
  const hashes = new Int32Array(MAX_HEADERS);
  const seen = nothingSeen(options.credentials.length, MAX_HEADERS);
  /** Where the walk is, and where the payload of the last field begins: it ends at `at`. */
  let at = 0;
  let from = 0;
  let headers = 0;
  let found = 0;

  /** Moves over one field; its tag, or 0 where it is none that is expected here. */
  function field(bytes: Uint8Array, end: number): number {
    const first = bytes[at++] as number;
    if (first < 8 || first >= 0x80) return 0;
    switch (first & 7) {
      case 2:
        return delimited(bytes, end, first);
      case 0:
        for (let more = 9; (bytes[at++] as number) >= 0x80; more -= 1) if (more === 0) return 0;
        return at <= end ? first : 0;
      case 1:
        at += 8;
        return at <= end ? first : 0;
      case 5:
        at += 4;
        return at <= end ? first : 0;
      default:
        return 0;
    }
  }

  /** Lengths of up to three bytes. */
  function delimited(bytes: Uint8Array, end: number, first: number): number {
    let length = bytes[at++] as number;
    if (length >= 0x80) {
      const second = bytes[at++] as number;
      length = (length & 0x7f) | (second << 7);
      if (second >= 0x80) {
        const third = bytes[at++] as number;
        if (third >= 0x80) return 0;
        length = (length & 0x3fff) | (third << 14);
      }
    }
    from = at;
    at += length;
    return at <= end ? first : 0;
  }

  /** Whether a field that nobody asked for may stand there. */
  const skips = (read: number, wanted: number): boolean => read !== 0 && ((wanted >> (read >> 3)) & 1) === 0;

  /** Each of the parts may come once. */
  const once = (part: number): boolean => {
    const isNew = (found & part) === 0;
    found |= part;
    return isNew;
  };

  function top(bytes: Uint8Array): boolean {
    const end = bytes.length;
    while (at < end) {
      const read = field(bytes, end);
      if (read === ATTRIBUTES) {
        if (!once(1) || !inside(bytes, attributes)) return false;
      } else if (!skips(read, IN_TOP)) return false;
    }
    // The http part was there, and with it everything around it.
    return (found & 16) !== 0;
  }

  function inside(bytes: Uint8Array, read: (bytes: Uint8Array, end: number) => boolean): boolean {
    const end = at;
    at = from;
    return read(bytes, end) && at === end;
  }

  function attributes(bytes: Uint8Array, end: number): boolean {
    while (at < end) {
      const read = field(bytes, end);
      if (read === SOURCE) {
        if (!once(2) || !inside(bytes, source)) return false;
      } else if (read === DESTINATION) {
        if (!once(4) || !inside(bytes, destination)) return false;
      } else if (read === REQUEST) {
        if (!once(8) || !inside(bytes, request)) return false;
      } else if (!skips(read, IN_ATTRIBUTES)) return false;
    }
    return true;
  }

  function source(bytes: Uint8Array, end: number): boolean {
    while (at < end) {
      const read = field(bytes, end);
      if (read === PRINCIPAL) {
        if (!once(32)) return false;
        seen.principal = from;
        seen.principalEnd = at;
      } else if (read === CERTIFICATE) {
        if (!once(64)) return false;
        seen.certificate = from;
        seen.certificateEnd = at;
      } else if (!skips(read, IN_PEER)) return false;
    }
    return true;
  }

  function destination(bytes: Uint8Array, end: number): boolean {
    while (at < end) {
      const read = field(bytes, end);
      if (read === PRINCIPAL) {
        if (!once(128)) return false;
        seen.destination = from;
        seen.destinationEnd = at;
      } else if (!skips(read, IN_PEER)) return false;
    }
    return true;
  }

  function request(bytes: Uint8Array, end: number): boolean {
    while (at < end) {
      const read = field(bytes, end);
      if (read === HTTP) {
        if (!once(16) || !inside(bytes, http)) return false;
      } else if (!skips(read, IN_REQUEST)) return false;
    }
    return true;
  }

  function http(bytes: Uint8Array, end: number): boolean {
    while (at < end) {
      const read = field(bytes, end);
      if (read === HEADERS) {
        found |= 256;
        if (!inside(bytes, mapEntry)) return false;
      } else if (read === HEADER_MAP) {
        if (!once(512) || !inside(bytes, headerMap)) return false;
      } else if (read === METHOD) {
        if (!once(1024)) return false;
        seen.method = from;
        seen.methodEnd = at;
      } else if (read === PATH) {
        if (!once(2048) || !target(bytes)) return false;
      } else if (read === HOST) {
        if (!once(4096)) return false;
        seen.host = from;
        seen.hostEnd = at;
      } else if (!skips(read, IN_HTTP)) return false;
    }
    // Both encodings at once are two requests in one.
    return (found & 768) !== 768;
  }

  function target(bytes: Uint8Array): boolean {
    let end = from;
    while (end < at && bytes[end] !== QUESTION_MARK) end += 1;
    seen.path = from;
    seen.pathEnd = end;
    seen.targetEnd = at;
    return isAscii(bytes, end, at);
  }

  function headerMap(bytes: Uint8Array, end: number): boolean {
    while (at < end) {
      const read = field(bytes, end);
      if (read === LINE) {
        if (!inside(bytes, line)) return false;
      } else if (!skips(read, IN_MAP)) return false;
    }
    return true;
  }

  function mapEntry(bytes: Uint8Array, end: number): boolean {
    let [key, keyEnd, value, valueEnd] = [0, 0, 0, 0];
    while (at < end) {
      const read = field(bytes, end);
      if (read === KEY && keyEnd === 0) {
        key = from;
        keyEnd = at;
      } else if (read === VALUE && valueEnd === 0) {
        value = from;
        valueEnd = at;
      } else if (!skips(read, IN_ENTRY)) return false;
    }
    return isAscii(bytes, value, valueEnd) && header(bytes, key, keyEnd, value, valueEnd);
  }

  function line(bytes: Uint8Array, end: number): boolean {
    let [key, keyEnd, value, valueEnd, raw, rawEnd] = [0, 0, 0, 0, 0, 0];
    while (at < end) {
      const read = field(bytes, end);
      if (read === KEY && keyEnd === 0) {
        key = from;
        keyEnd = at;
      } else if (read === RAW_VALUE && rawEnd === 0) {
        raw = from;
        rawEnd = at;
      } else if (read === VALUE && valueEnd === 0) {
        value = from;
        valueEnd = at;
      } else if (!skips(read, IN_LINE)) return false;
    }
    if (raw === rawEnd) return isAscii(bytes, value, valueEnd) && header(bytes, key, keyEnd, value, valueEnd);
    return value === valueEnd && header(bytes, key, keyEnd, raw, rawEnd);
  }

  function header(bytes: Uint8Array, key: number, keyEnd: number, value: number, valueEnd: number): boolean {
    if (headers === MAX_HEADERS || keyEnd - key > MAX_NAME || valueEnd - value > MAX_VALUE) return false;
    const hash = table.hashOf(bytes, key, keyEnd);
    if (hash === 0) return false;
    for (let index = 0; index < headers; index += 1) if (hashes[index] === hash) return false;
    hashes[headers] = hash;
    seen.valuePlaces[headers * 2] = value;
    seen.valuePlaces[headers * 2 + 1] = valueEnd;
    headers += 1;
    const role = table.find(hash, bytes, key, keyEnd);
    return role <= LET_THROUGH ? role !== ALIKE : noted(role, bytes, value, valueEnd);
  }

  function noted(role: number, bytes: Uint8Array, value: number, valueEnd: number): boolean {
    switch (role) {
      case SUSPECT:
        return false;
      case FORWARDED:
        seen.forwarded = value;
        seen.forwardedEnd = valueEnd;
        return true;
      case CONTENT_TYPE:
        seen.grpc = isGrpc(bytes, value, valueEnd);
        return true;
      case TRACEPARENT:
        seen.traceparent = value;
        seen.traceparentEnd = valueEnd;
        return true;
      case REQUEST_ID:
        seen.requestId = value;
        seen.requestIdEnd = valueEnd;
        return true;
      default:
        seen.credentials[(role - CREDENTIAL) * 2] = value;
        seen.credentials[(role - CREDENTIAL) * 2 + 1] = valueEnd;
        return true;
    }
  }

  return {
    seen,
    look(bytes) {
      if (bytes.length > MAX_BYTES) return false;
      forget(seen);
      at = from = headers = found = 0;
      const ordinary = top(bytes) && at === bytes.length;
      seen.values = headers;
      return ordinary;
    },
  };
}

function rolesOf({ credentials, forwarded, suspects, allowed }: GlanceOptions): Map<string, number> | undefined {
  const roles = new Map<string, number>(suspects.map((name) => [name, SUSPECT]));
  for (const name of allowed) if (roles.has(name)) roles.set(name, LET_THROUGH);
  const others: readonly [string, number][] = [
    [forwarded, FORWARDED],
    ['content-type', CONTENT_TYPE],
    ['traceparent', TRACEPARENT],
    ['x-request-id', REQUEST_ID],
    ...credentials.map((name, index): [string, number] => [name, CREDENTIAL + index]),
  ];
  for (const [name, role] of others) {
    if (roles.has(name)) return undefined;
    roles.set(name, role);
  }
  // Two that differ in `_` and `-` alone would be one here.
  const spellings = new Set([...roles.keys()].map((name) => name.replaceAll('_', '-')));
  return spellings.size === roles.size ? roles : undefined;
}

function isAscii(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if ((bytes[at] as number) >= 0x80) return false;
  return true;
}

/** In letters of any case, as answer.ts reads it. */
function isGrpc(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from < GRPC.length) return false;
  for (let index = 0; index < GRPC.length; index += 1) {
    const byte = bytes[from + index] as number;
    const lower = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
    if (lower !== GRPC[index]) return false;
  }
  return true;
}
