/**
 * The revocation file: NDJSON, one object a line (contract section 9). Each valid line applies as soon as it stands there
 * whole, whatever stands on the others, and counts once, in the order of the file; a missing file is an empty one. A line
 * that vanished ends nothing, and one that comes back changes nothing.
 */
import { hash } from 'node:crypto';
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { OnRevocation, RevocationOrder } from '../../model/revocation.js';
import type { Revocations } from '../revocations.js';
import { followLines } from './lines.js';
import { readOrder } from './order.js';

export interface RevocationFile {
  readonly file: string;
  /** Undefined while every line is usable, or the file is not there. */
  readonly problem: () => string | undefined;
  /** Looks once; never two at a time. */
  poll(): Promise<void>;
  /** Calls back when the file may have changed, sooner than a poll would find out. Returns how to end it. */
  onChange(wake: () => void): () => void;
}

export interface FileHooks {
  readonly onChange: OnRevocation;
  readonly onProblems: (problems: readonly string[]) => void;
}

/** Of a file that is wrong in many places the first lines are told. */
const MAX_PROBLEMS = 20;

export function followRevocations(file: string, index: Revocations, hooks: FileHooks): RevocationFile {
  const reader = followLines(file);
  const counted = createCounted();
  let problems: string[] = [];
  let unreadable: string | undefined;
  let live = false;
  /** An unfinished last line; still there at the next look, it is a bad one. */
  let half: number | undefined;

  /** False for a line that may be half of one. */
  const take = (text: string, number: number, whole: boolean): boolean => {
    if (text.trim() === '') return whole;
    const order = text.includes('\uFFFD') ? notUtf8 : readOrder(parseJson(text));
    if (!order.ok && !whole) {
      half = number;
      return false;
    }
    if (!counted.isNew(text)) return true;
    if (order.ok) apply(index, order.value, live, hooks);
    else if (problems.length < MAX_PROBLEMS) problems.push(`line ${number}: ${order.problem}`);
    return true;
  };

  return {
    file,
    problem: () => unreadable ?? (problems.length > 0 ? problems.join('; ') : undefined),
    async poll() {
      const before = problems.length;
      try {
        const restarted = (): void => {
          counted.beginAgain();
          problems = [];
        };
        const unfinished = half;
        half = undefined;
        const read = await reader.read({ restarted, line: take });
        counted.endReading();
        if (read === undefined) problems = [];
        if (read === false && unfinished !== undefined) problems.push(`line ${unfinished}: it is no whole object`);
        unreadable = undefined;
      } catch (error) {
        const words = `the file can not be read: ${error instanceof Error ? error.message : String(error)}`;
        if (unreadable === undefined) hooks.onProblems([words]);
        unreadable = words;
      }
      live = true;
      if (problems.length > before) hooks.onProblems(problems.slice(before));
    },
    onChange: (wake) => watchFolder(file, wake),
  };
}

const notUtf8 = { ok: false, problem: 'it is not UTF-8' } as const;

function apply(index: Revocations, order: RevocationOrder, live: boolean, { onChange }: FileHooks): void {
  const { kind, revocation } = order;
  const news = kind === 'revoke' ? index.revoke(revocation, order) : index.unrevoke(revocation, order);
  if (news) onChange({ ...order, source: 'file', live });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Lines that have counted, by 12 bytes of their digest. In a file that was replaced those that stood in the one before are
 * passed over: an old `unrevoke` must not end what was revoked after it. What was appended always counts.
 */
function createCounted() {
  const before = new Set<string>();
  let own = new Set<string>();
  let replaced = false;
  return {
    isNew(text: string): boolean {
      const name = hash('sha256', text.trim(), 'base64').slice(0, 16);
      own.add(name);
      return !replaced || !before.has(name);
    },
    beginAgain(): void {
      for (const name of own) before.add(name);
      own = new Set();
      replaced = true;
    },
    endReading: () => void (replaced = false),
  };
}

/** What the kubelet swaps when the files of a volume change. */
const KUBELET_LINK = '..data';

/** Of the folder: a file may come later, be replaced, or be a link that is swapped. Where nobody can watch, polls do. */
function watchFolder(file: string, wake: () => void): () => void {
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(dirname(file), { persistent: false }, (_, name) => {
      if (name === null || name === basename(file) || name === KUBELET_LINK) wake();
    });
    watcher.on('error', () => watcher?.close());
  } catch {
    // Polls find it too, only later.
  }
  return () => watcher?.close();
}
