/**
 * Lines in, bytes on an Output, in order. `write` never waits and never throws: what doesn't fit into the buffer is dropped
 * and counted. A failed write is tried again from where it stopped, so nothing is lost while there is room. Does NOT look
 * into lines: a caller passes one JSON text without a line break.
 *
 *   fine ── a write failed, or a line was dropped ──► failing ── a write arrived and half the buffer is free ──► fine
 *
 * Our own loop over fs.write, because sonic-boom, pino's, once full after an error stays full for good, closes
 * a descriptor twice when a reopen had failed before, and keeps the process from ending while a pipe has no reader.
 */
import type { AuditSettings } from '../model/settings.js';
import { BATCH_BYTES, lineBuffer } from './line-buffer.js';
import { openFile, reopenFile, standardOutput } from './output.js';
import type { Output } from './output.js';

export interface AuditSink {
  /** `soon`: with the lines of the next few milliseconds. */
  write(line: string, when?: 'soon' | 'now'): void;
  /** Whether records can't be written now. */
  failing(): boolean;
  /** Opens the file anew, for log rotation; until that succeeds the old one is written. */
  reopen(): void;
  /** Writes what is buffered, for at most two seconds; what is left then is dropped and counted. */
  close(): Promise<void>;
}

export interface SinkOptions {
  /** Bytes. */
  readonly maxBuffer: number;
  readonly onDropped: (count: number) => void;
  /** Called on each change of state only. */
  readonly onFailing: (failing: boolean, error?: Error) => void;
  readonly onReopenFailed?: (error: Error) => void;
}

const CLOSE_MS = 2_000;
/** A full disk or a reader that went away is worth a look each second; a slow reader soon has space again. */
const RETRY_FAILED_MS = 1_000;
const RETRY_BUSY_MS = 10;
/**
 * Lines wait this long for others, unless there are enough of them for a write: each write is a hand-over to another thread
 * and back, which costs more than a check.
 */
const GATHER_MS = 5;
const BUSY: ReadonlySet<string | undefined> = new Set(['EAGAIN', 'EBUSY', 'EINTR']);

/** Throws one sentence where the output can't be opened at start. */
export function openSink(to: AuditSettings['to'], options: SinkOptions): AuditSink {
  const state = failingState(options);
  const buffer = lineBuffer(options.maxBuffer);
  const pump = pumpLines(buffer, openOutput(to), state);
  let closing: Promise<void> | undefined;

  return {
    write(line, when = 'soon') {
      if (closing !== undefined) return options.onDropped(1);
      if (buffer.add(line)) return pump.start(when);
      options.onDropped(1);
      state.set(true, new Error('the audit buffer is full'));
    },
    failing: () => state.failing,
    reopen() {
      if (to.kind !== 'file' || closing !== undefined) return;
      reopenFile(to.path, (error, output) => {
        if (output === undefined) options.onReopenFailed?.(error ?? new Error('the file can not be opened'));
        else pump.turnTo(output);
      });
    },
    close() {
      closing ??= pump.drain().then(() => {
        const left = buffer.clear();
        if (left > 0) options.onDropped(left);
      });
      return closing;
    },
  };
}

interface FailingState {
  readonly failing: boolean;
  set(failing: boolean, error?: Error): void;
}

function failingState({ onFailing }: SinkOptions): FailingState {
  let failing = false;
  return {
    get failing() {
      return failing;
    },
    set(next, error) {
      if (next === failing) return;
      // Set first: who hears of it may write a line about it.
      failing = next;
      onFailing(next, error);
    },
  };
}

interface Pump {
  /** Writes, unless it does so already or waits to try again. */
  start(when: 'soon' | 'now'): void;
  turnTo(output: Output): void;
  /** Resolves once the buffer is empty, a write failed, or the time is up; nothing is written afterwards. */
  drain(): Promise<void>;
}

function pumpLines(buffer: ReturnType<typeof lineBuffer>, first: Output, state: FailingState): Pump {
  let output = first;
  let successor: Output | undefined;
  let writing = false;
  /** Somebody asked for a write while there was one. */
  let hurried = false;
  let ended = false;
  let retry: NodeJS.Timeout | undefined;
  let gathering: NodeJS.Timeout | undefined;
  let drained: (() => void) | undefined;

  function now(): void {
    clearTimeout(retry);
    clearTimeout(gathering);
    retry = gathering = undefined;
    if (writing || ended) return;
    if (successor !== undefined) succeed(successor);
    const bytes = buffer.next();
    if (bytes.length === 0) return drained?.();
    writing = true;
    hurried = false;
    output.put(bytes, (error, count) => {
      writing = false;
      if (ended) return;
      if (error !== null || count === 0) return failed(error);
      arrived(count);
      goOn(hurried || count < bytes.length ? 'now' : 'soon');
    });
  }

  function arrived(count: number): void {
    buffer.arrived(count);
    if (buffer.roomy()) state.set(false);
  }

  function goOn(when: 'soon' | 'now'): void {
    const pressing = when === 'now' || buffer.waiting() >= BATCH_BYTES;
    if (pressing || drained !== undefined || successor !== undefined) now();
    else if (buffer.waiting() > 0) gathering ??= setTimeout(now, GATHER_MS);
  }

  function failed(error: NodeJS.ErrnoException | null): void {
    const busy = error === null || BUSY.has(error.code);
    if (!busy) state.set(true, error);
    if (successor !== undefined) return now();
    if (!busy) drained?.();
    retry = setTimeout(now, busy ? RETRY_BUSY_MS : RETRY_FAILED_MS).unref();
  }

  /** A line that the change of files cut in two is written whole to the new one. */
  function succeed(next: Output): void {
    output.close();
    output = next;
    successor = undefined;
    buffer.rewind();
  }

  function end(): void {
    ended = true;
    clearTimeout(retry);
    clearTimeout(gathering);
    successor?.close();
    output.close();
  }

  return {
    start(when) {
      if (retry !== undefined) return;
      if (writing) hurried ||= when === 'now';
      else goOn(when);
    },
    turnTo(next) {
      if (ended) return next.close();
      successor?.close();
      successor = next;
      now();
    },
    drain() {
      return new Promise<void>((resolve) => {
        const timeUp = setTimeout(resolve, CLOSE_MS);
        drained = () => {
          clearTimeout(timeUp);
          resolve();
        };
        now();
      }).then(end);
    },
  };
}

function openOutput(to: AuditSettings['to']): Output {
  switch (to.kind) {
    case 'stdout':
      return standardOutput();
    case 'file':
      try {
        return openFile(to.path);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
        throw new Error(`the audit file ${to.path} can not be opened for writing: ${code}`, { cause: error });
      }
  }
}
