/**
 * The revocation file: NDJSON, one object a line (contract section 9). Each valid line applies, whatever stands on the
 * others; a missing file is an empty one. A line that vanished ends nothing.
 */
import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { NEEDS_ISSUER, REVOCATION_TYPES } from './revocations.js';
import type { Revocation, Revocations } from './revocations.js';
import { watchFile } from './watched-file.js';
import type { Parsed } from './source.js';
import type { WatchedFile } from './watched-file.js';

type Entry = { readonly kind: 'revoke' | 'unrevoke'; readonly revocation: Revocation };
interface Content {
  readonly entries: readonly Entry[];
  /** Line numbers (1-based) that were passed over, with what is wrong. */
  readonly problems: readonly string[];
}

/** Names in hexadecimal digits, which tools write in either case. */
const HEX: ReadonlyMap<string, RegExp> = new Map([
  ['token', /^[0-9a-f]{64}$/i],
  ['certificate', /^[0-9a-f]{64}$/i],
  ['serial', /^[0-9a-f]{1,40}$/i],
]);

const text = z.string().min(1).max(2048);
const line = z.strictObject({
  at: text,
  revoke: z.enum(REVOCATION_TYPES).optional(),
  unrevoke: z.enum(REVOCATION_TYPES).optional(),
  value: text,
  issuer: text.optional(),
  until: text.optional(),
  reason: z.string().max(2048).optional(),
  by: z.string().max(2048).optional(),
});

export function readRevocations(content: string): Content {
  const entries: Entry[] = [];
  const problems: string[] = [];
  content.split('\n').forEach((raw, index) => {
    if (raw.trim() === '') return;
    const entry = readLine(raw);
    if (typeof entry === 'string') problems.push(`line ${index + 1}: ${entry}`);
    else entries.push(entry);
  });
  return { entries, problems };
}

function readLine(raw: string): Entry | string {
  const parsed = line.safeParse(parseJson(raw));
  if (!parsed.success)
    return parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the line'}: ${message}`).join('; ');
  const { revoke, unrevoke, value, issuer, until } = parsed.data;
  const type = revoke ?? unrevoke;
  if (type === undefined || (revoke !== undefined && unrevoke !== undefined))
    return 'expected exactly one of revoke and unrevoke';
  if (NEEDS_ISSUER.has(type) && issuer === undefined) return `${type} needs an issuer`;
  const end = until === undefined ? Infinity : Date.parse(until);
  if (Number.isNaN(end) || Number.isNaN(Date.parse(parsed.data.at)))
    return 'at and until are times such as 2026-11-23T10:00:00Z';
  const hex = HEX.get(type);
  if (hex?.test(value) === false) return `expected hexadecimal digits as the value of a ${type}`;
  const name = hex === undefined ? value : value.toLowerCase();
  return {
    kind: revoke === undefined ? 'unrevoke' : 'revoke',
    revocation: { type, value: name, until: end, issuer: NEEDS_ISSUER.has(type) ? issuer : undefined },
  };
}

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}

export type OnRevocation = (event: 'revoked' | 'unrevoked', revocation: Revocation) => void;

/** What the lines say in the end, by name: an old pair of revoke and unrevoke is not news each time that a line is added. */
function outcomesOf(entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  const outcomes = new Map<string, Entry>();
  for (const entry of entries) {
    const { type, value, issuer, until } = entry.revocation;
    const key = JSON.stringify([type, value, issuer]);
    const before = outcomes.get(key);
    const shorter = entry.kind === 'revoke' && before?.kind === 'revoke' && before.revocation.until > until;
    if (!shorter) outcomes.set(key, entry);
  }
  return outcomes;
}

/** Follows the file and applies what it says to the index. */
export function followRevocations(
  file: string,
  index: Revocations,
  onChange: OnRevocation,
  onProblems: (problems: readonly string[]) => void,
): WatchedFile<Content> {
  const watched = watchFile<Content>(
    file,
    (content): Parsed<Content> => ({ ok: true, value: readRevocations(content) }),
    Infinity,
  );
  const applied = new Map<string, Entry>();
  let exists = false;
  let lines: readonly string[] = [];
  return {
    ...watched,
    // A missing file is an empty one: there is nothing wrong with it.
    problem: () => (exists ? (watched.problem() ?? (lines.length > 0 ? lines.join('; ') : undefined)) : undefined),
    async poll(now, force) {
      const seen = await watched.poll(now, force);
      const content = watched.current(now);
      if (seen !== 'same') exists = existsSync(file);
      if (seen !== 'loaded' || content === undefined) return seen;
      for (const [key, entry] of outcomesOf(content.entries)) {
        if (isDeepStrictEqual(applied.get(key), entry)) continue;
        applied.set(key, entry);
        const { kind, revocation } = entry;
        const news = kind === 'revoke' ? index.revoke(revocation) : index.unrevoke(revocation);
        if (news) onChange(kind === 'revoke' ? 'revoked' : 'unrevoked', revocation);
      }
      lines = content.problems;
      if (content.problems.length > 0) onProblems(content.problems);
      return seen;
    },
  };
}
