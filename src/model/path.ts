/**
 * One reading of a request path (contract section 4). In: the path without its query. Out: its decoded segments.
 * Refuses whatever two parsers could read differently; never repairs.
 */
export type PathReading =
  { readonly ok: true; readonly segments: readonly string[] } | { readonly ok: false; readonly problem: string };

const wrong = (problem: string): PathReading => ({ ok: false, problem });

const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
const PRINTABLE = /^[\x21-\x7e]*$/;
const PLAIN = /^[A-Za-z0-9._~!$&'()*+,=:@/-]*$/;
/** What an encoded octet must not turn into: separators, dots, and characters that start another part of a URL. */
const FORBIDDEN_DECODED = /[/\\.;?#%]/;

/** The path of a request target: everything before the first `?`. */
export function withoutQuery(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? target : target.slice(0, mark);
}

export function readPath(path: string): PathReading {
  if (!path.startsWith('/')) return wrong('it does not begin with "/"');
  const found = /[\\#;]/.exec(path);
  if (found !== null) return wrong(`it holds ${JSON.stringify(found[0])}`);
  if (!PRINTABLE.test(path)) return wrong('it holds a character that is not printable ASCII');
  const raw = path.slice(1).split('/');
  if (raw.at(-1) === '') raw.pop();
  const segments: string[] = [];
  for (const text of raw) {
    if (text === '') return wrong('it holds an empty segment');
    if (text === '.' || text === '..') return wrong(`it holds the segment ${JSON.stringify(text)}`);
    const decoded = PLAIN.test(text) ? text : decodeSegment(text);
    // Not quoted: behind an encoded "?" it may hold what the client meant as a query value, and records hold none.
    if (decoded === undefined)
      return wrong(`segment ${String(segments.length + 1)} holds an encoding that can be read differently`);
    segments.push(decoded);
  }
  return { ok: true, segments };
}

/** Decodes once; undefined where the encoding is broken, not UTF-8, or hides a character that has a meaning in paths. */
function decodeSegment(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  for (const [run] of text.matchAll(/(?:%[0-9A-Fa-f]{2})+/g)) {
    const decoded = decodeRun(run);
    if (decoded === undefined || FORBIDDEN_DECODED.test(decoded) || CONTROL.test(decoded)) return undefined;
  }
  return decodeURIComponent(text);
}

function decodeRun(run: string): string | undefined {
  try {
    return decodeURIComponent(run);
  } catch {
    return undefined;
  }
}

/** ASCII letters in lower case, everything else as it is: how a careless reader would compare. */
export const foldAscii = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
