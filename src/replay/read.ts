/**
 * Files of records → what is in them, one by one. In: names of files and folders (`-`: stdin). Out: recorded checks, audit
 * records, whole CheckRequests. Other lines of an audit log are skipped; a line that is none of them is told with its
 * place. Reads line by line: records of a week do not fit into memory.
 */
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { readCapture } from '../workbench/capture.js';
import { AuditedCheck } from './audited.js';
import { RecordedCheck } from './recorded.js';

export type Entry = { readonly place: string } & (
  | { readonly kind: 'recorded'; readonly record: RecordedCheck }
  | { readonly kind: 'audited'; readonly record: AuditedCheck }
  | { readonly kind: 'raw'; readonly bytes: Uint8Array }
  /** Another event of an audit log. */
  | { readonly kind: 'skipped' }
  | { readonly kind: 'bad'; readonly problem: string }
);

/** Bytes that were read, for a progress bar. */
export type OnBytes = (count: number) => void;

/** Folders become the files in them that could hold records. */
export function filesIn(names: readonly string[]): { readonly files: string[]; readonly bytes: number } {
  const files = names.flatMap((name) => (name !== '-' && statSync(name).isDirectory() ? inFolder(name) : [name]));
  const bytes = files.reduce((sum, name) => sum + (name === '-' ? 0 : statSync(name).size), 0);
  return { files, bytes };
}

const inFolder = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => /\.(ndjson|bin|jsonl)$/.test(name))
    .sort()
    .map((name) => join(folder, name));

export async function* entriesOf(
  file: string,
  stdin: () => Promise<Uint8Array>,
  onBytes: OnBytes,
): AsyncGenerator<Entry> {
  if (/\.(bin|json)$/.test(file)) {
    const content = readFileSync(file);
    onBytes(content.length);
    yield rawEntry(file, content);
    return;
  }
  const source = file === '-' ? Readable.from([await stdin()]) : createReadStream(file);
  let number = 0;
  for await (const line of createInterface({ input: source, crlfDelay: Infinity })) {
    number += 1;
    onBytes(Buffer.byteLength(line) + 1);
    if (line.trim() !== '') yield lineEntry(`${file}:${number}`, line);
  }
}

function rawEntry(place: string, content: Uint8Array): Entry {
  // One record that was saved as .json is a record all the same.
  const line = lineEntry(place, Buffer.from(content).toString('utf8'));
  if (line.kind === 'recorded' || line.kind === 'audited') return line;
  const bytes = readCapture(content, place);
  return 'problem' in bytes ? { kind: 'bad', place, problem: bytes.problem } : { kind: 'raw', place, bytes };
}

function lineEntry(place: string, line: string): Entry {
  const value = parse(line);
  const event = typeof value === 'object' && value !== null && 'event' in value ? value.event : undefined;
  if (event === 'check') return entry(RecordedCheck.safeParse(value), 'recorded', place);
  if (event === 'decision') return entry(AuditedCheck.safeParse(value), 'audited', place);
  if (typeof event === 'string') return { kind: 'skipped', place };
  return { kind: 'bad', place, problem: 'expected an audit record or a recorded check, got something else' };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

interface Parsed<T> {
  readonly success: boolean;
  readonly data?: T | undefined;
  readonly error?: { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] };
}

function entry(parsed: Parsed<RecordedCheck>, kind: 'recorded', place: string): Entry;
function entry(parsed: Parsed<AuditedCheck>, kind: 'audited', place: string): Entry;
function entry(parsed: Parsed<RecordedCheck | AuditedCheck>, kind: 'recorded' | 'audited', place: string): Entry {
  if (parsed.data !== undefined) return { kind, place, record: parsed.data } as Entry;
  const [issue] = parsed.error?.issues ?? [];
  const where = issue?.path.map(String).join('.') ?? '';
  return { kind: 'bad', place, problem: `the record's field ${where} is not usable: ${issue?.message ?? 'unknown'}` };
}
