/**
 * An engine behind its handler: bytes in, and out comes what Envoy and the audit log would see, without what no two checks
 * share (the id, the latency) and without the word whether it was found. Each check must be told once.
 */
import { decisionRecord } from '../../src/audit/record.js';
import { requestFacts } from '../../src/audit/request-facts.js';
import { createHandler } from '../../src/handle.js';
import type { HandlerDependencies } from '../../src/handle.js';
import type { Attributes } from '../../src/model/attributes.js';
import type { Outcome } from '../../src/model/decision.js';
import type { Settings } from '../../src/model/settings.js';
import { createQuick } from '../../src/quick/quick.js';
import type { QuickPart } from '../../src/quick/quick.js';
import { decodeAnswer } from '../wire/answers.js';
import { carried } from './carried.js';
import type { Way } from './carried.js';
import type { Player } from './model.js';
import type { Asked } from './play.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const fail = (fault: unknown): never => {
  throw fault instanceof Error ? fault : new Error(String(fault));
};

export interface Answering extends Asked {
  /** Checks that were found by a glance, and those of them whose record was joined from prepared text. */
  readonly quick: { found: number; joined: number };
  close(): Promise<void>;
}

export interface Reached {
  /** Undefined: everything goes the whole way. */
  readonly without?: readonly QuickPart[];
  /** How bytes come to the handler; by a call where nothing is said. */
  readonly over?: Way;
}

export function answering(
  { check, revocations, parts }: Player,
  settings: Settings,
  { without, over = 'handle' }: Reached = {},
): Answering {
  const told: { outcome: Outcome; record: string }[] = [];
  const recordOf = (outcome: Outcome, attributes: Attributes | undefined, microseconds: number): string => {
    const { audit, environment } = settings;
    const facts = attributes && requestFacts(attributes);
    return JSON.stringify(decisionRecord(outcome, facts, { path: audit.path, environment }, microseconds));
  };
  const quick = { found: 0, joined: 0 };
  const deps: HandlerDependencies = {
    check,
    settings,
    mayAnswer: () => true,
    onFault: fail,
    onOutcome: (outcome, attributes, microseconds) =>
      void told.push({ outcome, record: recordOf(outcome, attributes, microseconds) }),
    onFound(found) {
      const whole = recordOf(found.outcome, found.attributes, found.microseconds);
      const line = found.line();
      quick.found += 1;
      if (line !== undefined) quick.joined += 1;
      // To the letter, so that a log reads the same whoever wrote the line.
      const isSame = line === undefined || line === whole;
      told.push({ outcome: found.outcome, record: isSame ? whole : JSON.stringify({ joined: line, whole }) });
    },
  };
  const short = without === undefined || parts === undefined ? undefined : createQuick(parts, without);
  const way = carried(over, createHandler({ ...deps, ...(short && { quick: short }) }));
  return {
    revocations,
    quick,
    close: () => way.close(),
    async ask(bytes) {
      const answer = decodeAnswer(await way.send(bytes));
      while (told.length === 0) await turn();
      const [{ outcome, record }, ...more] = told.splice(0) as [(typeof told)[0]];
      if (more.length > 0) throw new Error('a check was told twice');
      const text = JSON.stringify([answer, { ...(JSON.parse(record) as object), latency_us: 0 }])
        .replaceAll(outcome.id, 'ID')
        .replaceAll(/"cache":"(hit|miss)"/g, '"cache":"-"')
        // The explanation of a refusal is of the moment in which it was decided.
        .replaceAll(/\d+ ms old/g, '- ms old');
      return { text, found: outcome.cache === 'hit', allow: outcome.verdict.kind !== 'deny' };
    },
  };
}
