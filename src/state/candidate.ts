/**
 * The candidate policy: kept as text, since the label of lines without one is the enforced policy's, and changes with it.
 */
import type { Policy } from '../model/policy.js';
import type { DataLabel, PolicySettings } from '../model/settings.js';
import type { Parsed } from './source.js';
import { track } from './tracked.js';
import type { Tracked } from './tracked.js';
import { watchFile } from './watched-file.js';

/** `data`: the label of lines that have none. */
export type ReadCandidate = (text: string, data: DataLabel | null) => Parsed<Policy>;

export function openCandidate(
  { candidate, maxLastGood }: PolicySettings,
  read: ReadCandidate,
): Tracked<string> | undefined {
  if (candidate === null) return undefined;
  const parse = (text: string): Parsed<string> => {
    const compiled = read(text, null);
    return compiled.ok ? { ok: true, value: text } : compiled;
  };
  const revisionOf = (text: string): readonly string[] => {
    const compiled = read(text, null);
    return compiled.ok ? [compiled.value.revision] : [];
  };
  return track('candidate', ['candidate'], watchFile(candidate, parse, maxLastGood), revisionOf);
}

export function candidateOf(
  text: string | undefined,
  policy: Policy | undefined,
  readCandidate: ReadCandidate,
): Policy | undefined {
  const read = text === undefined ? undefined : readCandidate(text, policy?.data ?? null);
  return read?.ok === true ? read.value : undefined;
}
