/**
 * Proposed scope lines, whatever they come from. In: lines that api-document, descriptor-set or audit-trail propose. Out:
 * one text that compiles and has no overlaps: what cannot stand beside an earlier line is joined with it by the stricter
 * reading, or left out with a comment that says why. Does NOT know what the service means: a person must read it.
 */
import { oneLine } from '../config/words.js';
import { compilePolicy, readOwnerLines } from '../policy/compile.js';
import { findOverlaps } from '../policy/overlap.js';
import type { Line } from '../model/policy.js';

export interface ProposedLine {
  /** One method, or GRPC. */
  readonly method: string;
  readonly path: string;
  /** The SCOPES word. */
  readonly scopes: string;
  readonly conditions: readonly string[];
  /** What was guessed, and what its author should look at. */
  readonly notes: readonly string[];
}

export interface LeftOut {
  readonly what: string;
  readonly why: string;
}

export interface Proposal {
  readonly lines: readonly ProposedLine[];
  readonly leftOut: readonly LeftOut[];
  /** Sentences about the whole. */
  readonly remarks: readonly string[];
}

/** What an owner may write unless the operator says otherwise. */
const RIGHTS = { guardrails: '', ownersMay: ['workload'] } as const;

/** A line beside its own reading, which is made once. */
interface Placed {
  readonly line: ProposedLine;
  readonly read: Line;
}

export function joinProposals(proposals: readonly Proposal[]): Proposal {
  const placed: Placed[] = [];
  const leftOut = proposals.flatMap((each) => each.leftOut);
  for (const line of proposals.flatMap((each) => each.lines)) {
    const problem = place(line, placed);
    if (problem !== undefined) leftOut.push({ what: wordsOf(line), why: problem });
  }
  const remarks = [...new Set(proposals.flatMap((each) => each.remarks))];
  return { lines: shareMethods(placed.map(({ line }) => line)), leftOut, remarks };
}

const wordsOf = (line: ProposedLine): string => [line.method, line.path, line.scopes, ...line.conditions].join(' ');

function readLine(line: ProposedLine): Line | string {
  const { lines, issues } = readOwnerLines(wordsOf(line), RIGHTS.ownersMay);
  return lines[0] ?? issues[0]?.message ?? 'it says nothing';
}

/** Adds the line, or says why it can not stand beside another. */
function place(line: ProposedLine, placed: Placed[]): string | undefined {
  const read = readLine(line);
  if (typeof read === 'string') return read;
  const index = placed.findIndex((other) => findOverlaps([other.read, read]).length > 0);
  const other = placed[index];
  if (other === undefined) {
    placed.push({ line, read });
    return undefined;
  }
  const both = bothOf(other, { line, read });
  const stricter = both === undefined ? undefined : readLine(both);
  if (both === undefined || stricter === undefined || typeof stricter === 'string')
    return `the same requests as ${wordsOf(other.line)}`;
  placed[index] = { line: both, read: stricter };
  return undefined;
}

/** One line that asks for what both ask for; undefined where no line says that. */
function bothOf(first: Placed, second: Placed): ProposedLine | undefined {
  const [a, b] = [first.line, second.line];
  if (a.method !== b.method || a.conditions.join(' ') !== b.conditions.join(' ')) return undefined;
  const notes = [...new Set([...a.notes, ...b.notes])];
  if (a.scopes === b.scopes) return { ...a, notes };
  if (first.read.scopes.kind !== 'all' || second.read.scopes.kind !== 'all') return undefined;
  const scopes = [...new Set([...first.read.scopes.scopes, ...second.read.scopes.scopes])].join('+');
  return { ...a, scopes, notes: [...notes, `${b.path} is the same route: both demands hold`] };
}

/** `GET` and `HEAD` on one path with the same demands are one line. */
function shareMethods(lines: readonly ProposedLine[]): ProposedLine[] {
  const byDemand = new Map<string, ProposedLine>();
  for (const line of lines) {
    const key = JSON.stringify([line.method === 'GRPC', line.path, line.scopes, line.conditions]);
    const other = byDemand.get(key);
    const method = other === undefined ? line.method : `${other.method},${line.method}`;
    byDemand.set(key, { ...line, method, notes: [...new Set([...(other?.notes ?? []), ...line.notes])] });
  }
  return [...byDemand.values()];
}

/** The scope lines with their comments. */
export function proposalText({ lines, leftOut, remarks }: Proposal): string {
  const cells = lines.map((line) => [line.method, line.path, line.scopes, line.conditions.join(' ')]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...cells.map((row) => row[column]?.length ?? 0)));
  const rows = cells.map((row, index) => {
    const notes = lines[index]?.notes ?? [];
    const text = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
    return (notes.length === 0 ? text : `${text}  # ${comment(notes.join('; '))}`).trimEnd();
  });
  const head = remarks.map((remark) => `# ${comment(remark)}`);
  const tail = leftOut.map(({ what, why }) => `# left out: ${comment(`${what}: ${why}`)}`);
  return [...head, ...rows, ...tail].map((line) => `${line}\n`).join('');
}

const MAX_COMMENT = 300;

const comment = (text: string): string => {
  const line = oneLine(text);
  return line.length > MAX_COMMENT ? `${line.slice(0, MAX_COMMENT - 1)}…` : line;
};

/** The annotation block of a pod template; a literal block, so that the lines stay as they are. */
export function manifestText(scopes: string): string {
  const block = scopes
    .split('\n')
    .map((line) => (line === '' ? '' : `      ${line}`))
    .join('\n');
  return `metadata:\n  annotations:\n    firsthand.dev/scopes: |\n${block}`;
}

/** What the guard itself would say to this text; undefined where it takes it. */
export function proposalProblem(scopes: string): string | undefined {
  const compiled = compilePolicy({ kind: 'scopes', text: scopes }, RIGHTS);
  return compiled.ok ? undefined : compiled.issues[0]?.message;
}
