/**
 * Checks as `serve` answers and records them, without its listeners. In: a configuration file, a clock. Out: for bytes of a
 * CheckRequest the decoded answer, what was decided, and the audit record as it was written to a file.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Log } from '../../src/audit/log.js';
import { formatConfigIssue, loadConfig } from '../../src/config/load.js';
import { openCore } from '../../src/core.js';
import { checkGuardrails, createMemory } from '../../src/engine.js';
import type { Attributes } from '../../src/model/attributes.js';
import type { Outcome } from '../../src/model/decision.js';
import type { Settings } from '../../src/model/settings.js';
import { createRecorder } from '../../src/recorder.js';
import { openRevocationDesk } from '../../src/revocation-desk.js';
import { createRemotes } from '../../src/state/remote/remotes.js';
import { decodeAnswer } from '../wire/answers.js';
import type { DecodedAnswer } from '../wire/answers.js';

export interface ServedCheck {
  readonly answer: DecodedAnswer;
  readonly outcome: Outcome;
  /** Undefined where the bytes are no CheckRequest. */
  readonly attributes: Attributes | undefined;
}

export interface Served {
  readonly settings: Settings;
  check(bytes: Uint8Array): Promise<ServedCheck>;
  /** Writes what is left; then the decision records, one JSON text each, in their order. */
  close(): Promise<readonly string[]>;
}

const quiet = (): void => undefined;
const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet, fatal: quiet };

/** Starts without any memory, as after a restart. */
export async function served(config: string, now: () => number = Date.now): Promise<Served> {
  const loaded = loadConfig(config, {}, checkGuardrails);
  if (!loaded.ok) throw new Error(loaded.issues.map(formatConfigIssue).join('\n'));
  const path = join(dirname(config), 'served.ndjson');
  const settings: Settings = { ...loaded.settings, audit: { ...loaded.settings.audit, to: { kind: 'file', path } } };
  const recorder = createRecorder(settings, log, now);
  const told = heard();
  const memory = createMemory(settings);
  const onFault = (fault: unknown): void => {
    throw fault;
  };
  const desk = openRevocationDesk({
    ...{ revocations: memory.revocations, store: { revocations: undefined }, log, now, onFault },
    ...{ onRevocation: recorder.onRevocation, onProblems: recorder.onRevocationProblems },
  });
  const core = await openCore(settings, 'start', {
    ...{ memory, desk, onFault },
    remotes: createRemotes(),
    recorder: {
      ...recorder,
      onOutcome: (outcome, attributes, microseconds) => {
        recorder.onOutcome(outcome, attributes, microseconds);
        told.tell({ outcome, attributes });
      },
    },
    now,
  });
  return {
    settings,
    async check(bytes) {
      const outcome = told.next();
      return { answer: decodeAnswer(await core.handle(bytes, undefined)), ...(await outcome) };
    },
    async close() {
      desk.close();
      await recorder.close();
      return readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line.includes('"event":"decision"'));
    },
  };
}

type Heard = Omit<ServedCheck, 'answer'>;

function heard(): { tell: (heard: Heard) => void; next: () => Promise<Heard> } {
  let settle: (heard: Heard) => void = quiet;
  return {
    tell: (each) => settle(each),
    next: () => new Promise((resolve) => (settle = resolve)),
  };
}
