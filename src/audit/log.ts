/**
 * The operational log: JSON lines on stderr. In: a constant message and facts in fields. Out: a line, synchronously, so that
 * the last words of a dying process arrive. Never waits for a reader and never throws: a line that stderr doesn't take at
 * once is lost. Does NOT replace the audit log, and no decision is told here.
 */
import { writeSync } from 'node:fs';
import { pino } from 'pino';
import type { LogLevel } from '../model/settings.js';
import { list, text } from './text.js';

export type Facts = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>;
type Say = (message: string, facts?: Facts) => void;

export interface Log {
  readonly debug: Say;
  readonly info: Say;
  readonly warn: Say;
  readonly error: Say;
  readonly fatal: Say;
}

export function createLog(level: LogLevel): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    standardError(),
  );
  const say =
    (at: Exclude<LogLevel, 'silent'>): Say =>
    (message, facts) => {
      if (logger.isLevelEnabled(at)) logger[at](bounded(facts ?? {}), message);
    };
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error'), fatal: say('fatal') };
}

const bounded = (facts: Facts): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [
      name,
      typeof value === 'string' ? text(value) : value instanceof Array ? list(value) : value,
    ]),
  );

/** Node makes a pipe or socket non-blocking when it opens its own stream on it; only then does writeSync answer EAGAIN. */
function standardError(): { write(line: string): void } {
  process.stderr.on('error', () => undefined);
  return {
    write(line) {
      try {
        const bytes = Buffer.from(line);
        for (let offset = 0; offset < bytes.length;) offset += writeSync(2, bytes, offset);
      } catch {
        // Nowhere is left to say so.
      }
    },
  };
}
