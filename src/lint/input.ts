import { START, remark } from './finding.js';
import type { Remark } from './finding.js';

/** Bytes of a file → its text, or where it stops being UTF-8. A byte order mark is taken off, as the guard does. */
export type Text = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly remark: Remark };

export function readUtf8(bytes: Uint8Array): Text {
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    const message = 'expected UTF-8 text, got other bytes';
    return { ok: false, remark: remark(firstBadByte(bytes), 'error', 'character', message, 'save the file as UTF-8') };
  }
}

/** A lax decoder puts U+FFFD where the strict one fails; one that was really written is U+FFFD in both. */
function firstBadByte(bytes: Uint8Array): { line: number; column: number } {
  const lax = new TextDecoder('utf-8').decode(bytes);
  for (let at = lax.indexOf('\ufffd'); at >= 0; at = lax.indexOf('\ufffd', at + 1)) {
    const before = lax.slice(0, at);
    const length = Buffer.byteLength(before) + (hasMark(bytes) ? 3 : 0);
    if (Buffer.from(bytes.subarray(length, length + 3)).equals(Buffer.from('\ufffd'))) continue;
    const lines = before.split('\n');
    return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
  }
  return START;
}

const hasMark = (bytes: Uint8Array): boolean => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
