/**
 * Audit records → proposed lines: what was seen, and nothing more. In: NDJSON lines. Out: one line for each method and
 * path, with the workloads that called (`from=`) and the proxies that they came through (`via=`). Counts calls that were
 * allowed, and those that only lacked a line (`route_undeclared`); what was denied for another reason is no wish of the
 * owner. Takes a record's words only as they pass the readers of paths, IDs and scopes.
 */
import { parseSpiffeId, trustDomainOf } from '../model/ids.js';
import type { SpiffeId } from '../model/ids.js';
import { readPath } from '../model/path.js';
import { readScopes } from '../policy/scopes.js';
import type { Proposing } from './api-document.js';
import { guessScope } from './guess-scope.js';
import { linePath } from './line-path.js';
import type { PathPart } from './line-path.js';
import type { LeftOut, ProposedLine } from './proposal.js';
import { templates } from './path-templates.js';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly reason: string;
  readonly origin: SpiffeId | undefined;
  readonly forwarders: readonly SpiffeId[];
  readonly guard: SpiffeId | undefined;
  readonly held: readonly string[];
  readonly required: readonly string[];
}

export function proposeFromAudit(texts: readonly string[], name: string): Proposing {
  const records = texts.flatMap((text) =>
    text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map(recordOf),
  );
  const decisions = records.filter((record) => record?.['event'] === 'decision');
  if (decisions.length === 0) return { ok: false, problem: 'expected audit records (NDJSON), got no decision' };
  const calls = decisions.flatMap((record) => callOf(record ?? {}) ?? []);
  const leftOut: LeftOut[] = [];
  const readable = calls.filter(({ path, method }) => {
    const fine = readPath(path).ok && !path.endsWith('/**') && /^[A-Z]+$/.test(method);
    if (!fine) leftOut.push({ what: `${method} ${path}`, why: 'not the path of a request that a line can declare' });
    return fine;
  });
  const lines = grouped(readable).flatMap((group) => linesOf(group, leftOut));
  const skipped = decisions.length - calls.length;
  const remarks = [
    `proposed from ${name}: ${counted(calls.length, 'call')} seen; who did not call meanwhile is not in here`,
    ...(skipped === 0
      ? []
      : [`not counted: ${counted(skipped, 'record')}, denied for another reason or without a path`]),
  ];
  return { ok: true, proposal: { lines, leftOut: unique(leftOut), remarks } };
}

const unique = (leftOut: readonly LeftOut[]): LeftOut[] => [
  ...new Map(leftOut.map((each) => [`${each.what}\n${each.why}`, each])).values(),
];

function recordOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];

const ids = (value: unknown): SpiffeId[] => texts(value).flatMap((text) => parseSpiffeId(text) ?? []);

function callOf(record: Readonly<Record<string, unknown>>): Call | undefined {
  const { method, path, origin, peer } = record;
  const reason = verdictOf(record);
  if (typeof method !== 'string' || typeof path !== 'string') return undefined;
  if (reason !== 'route_undeclared' && !reason.startsWith('allowed')) return undefined;
  const chain = ids(record['chain']);
  const id = typeof origin === 'string' ? parseSpiffeId(origin) : undefined;
  const behind = id === undefined ? chain : chain.slice(1);
  // The guard ends the chain where its name is known; the peer is never the guard.
  const guard = behind.at(-1) === peer ? undefined : behind.at(-1);
  const forwarders = guard === undefined ? behind : behind.slice(0, -1);
  const [held, required] = [texts(record['scopes_held']), texts(record['scopes_required'])];
  return { method, path, reason, origin: id, forwarders, guard, held, required };
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** In shadow mode the verdict that counts stands under `shadow`. */
function verdictOf({ reason, shadow }: Readonly<Record<string, unknown>>): string {
  const held = typeof shadow === 'object' && shadow !== null && 'reason' in shadow ? shadow.reason : shadow;
  return typeof held === 'string' ? held : String(reason);
}

interface Group {
  readonly method: string;
  readonly parts: readonly PathPart[];
  readonly generalised: boolean;
  readonly calls: readonly Call[];
}

/** Calls of one method whose paths differ only where an identifier stands. */
function grouped(calls: readonly Call[]): Group[] {
  const found = new Map<string, Group & { readonly calls: Call[] }>();
  const templated = templates(calls.map(({ method, path }) => ({ method, segments: segmentsOf(path) })));
  for (const [index, call] of calls.entries()) {
    const parts = templated[index] ?? [];
    const key = `${call.method} ${linePath(parts)}`;
    const group = found.get(key);
    if (group !== undefined) group.calls.push(call);
    else found.set(key, { method: call.method, parts, generalised: parts.some(isAny), calls: [call] });
  }
  return [...found.values()];
}

const isAny = ({ kind }: PathPart): boolean => kind === 'any';

function segmentsOf(path: string): readonly string[] {
  const read = readPath(path);
  return read.ok ? read.segments : [];
}

function linesOf({ method, parts, generalised, calls }: Group, leftOut: LeftOut[]): ProposedLine[] {
  const path = linePath(parts);
  const known = calls.filter(({ origin, forwarders }) => origin !== undefined || forwarders.length > 0);
  if (known.length === 0) {
    leftOut.push({
      what: `${method} ${path} anyone`,
      why: 'no caller is recorded; probes? anyone needs the right of the operator',
    });
    return [];
  }
  const notes = generalised ? ['guess: {…} stands for what looked like an identifier'] : [];
  // Whoever probed a route that nobody declared must not be let in because he tried.
  const strangers = callersOf(known.filter(({ reason }) => reason === 'route_undeclared'));
  if (strangers.length > 0) notes.push(`refused until now: ${strangers.join(' ')}; keep only who is meant`);
  const scopes = scopesOf(known, method, path, notes);
  const grpc = known.every(() => /^\/[A-Za-z_][\w.]*\.[A-Za-z_]\w*\/[A-Za-z_]\w*$/.test(path)) && method === 'POST';
  return [
    {
      method: grpc ? 'GRPC' : method,
      path: grpc ? path.slice(1) : path,
      scopes,
      conditions: [`from=${callersOf(known).join(',')}`, `via=${proxiesOf(known).join(',')}`],
      notes: grpc ? [...notes, 'guess: a gRPC method'] : notes,
    },
  ];
}

/** Literal names: whoever else calls must be added by a person. */
const callersOf = (calls: readonly Call[]): string[] =>
  sorted(
    calls.flatMap(({ origin, forwarders, guard }) => {
      if (origin !== undefined) return [relative(origin, guard)];
      const [outermost] = forwarders;
      return outermost === undefined ? [] : [`outside@${relative(outermost, guard)}`];
    }),
  );

const proxiesOf = (calls: readonly Call[]): string[] =>
  sorted(
    calls.flatMap(({ forwarders, guard }) =>
      forwarders.length === 0 ? ['direct'] : forwarders.map((id) => relative(id, guard)),
    ),
  );

const sorted = (words: readonly string[]): string[] => [...new Set(words)].sort();

/** Without a scheme where that means the same: in the trust domain of the guard. */
function relative(id: SpiffeId, guard: SpiffeId | undefined): string {
  const domain = trustDomainOf(id);
  return guard !== undefined && trustDomainOf(guard) === domain ? id.slice(`spiffe://${domain}/`.length) : id;
}

/** What every call had: what their line asked for, else the one scope that fits, else a guess. */
function scopesOf(calls: readonly Call[], method: string, path: string, notes: string[]): string {
  if (calls.every(({ reason }) => reason === 'allowed_workload')) return 'workload';
  const common = inAll(calls.map(({ held }) => held)).filter((scope) => readScopes(scope).ok);
  const demanded = inAll(calls.map(({ required }) => required)).filter((scope) => common.includes(scope));
  if (demanded.length > 0) return demanded.join('+');
  const guessed = guessScope(method, path);
  const [fitting, another] = common.filter((scope) => common.length === 1 || isAbout(scope, guessed));
  if (fitting !== undefined && another === undefined) {
    notes.push('guess: the scope, from what the tokens had');
    return fitting;
  }
  const had = common.length === 0 ? '' : `; the tokens had ${common.join(' ')}`;
  notes.push(`guess: the scope, from method and path${had}`);
  return guessed;
}

/** `users:read` and `users.name.read` begin and end alike. */
function isAbout(scope: string, guessed: string): boolean {
  const [words, wanted] = [scope.toLowerCase().split(/[.:/]/), guessed.split('.')];
  return words[0] === wanted[0] && words.at(-1) === wanted.at(-1);
}

const inAll = (lists: readonly (readonly string[])[]): string[] =>
  [...new Set(lists[0] ?? [])].filter((word) => lists.every((list) => list.includes(word)));
