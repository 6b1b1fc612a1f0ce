/**
 * A decision that was found, and what is told of it: the answer at once, the outcome and the record only when somebody looks
 * at them. In: a cached decision under a snapshot. Does NOT decide anything, and does NOT ask whether the decision still
 * counts: quick.ts does, each time.
 */
import { answerMetadata } from '../audit/record.js';
import { recordTemplate, tracePart } from '../audit/record-template.js';
import type { RecordTemplate } from '../audit/record-template.js';
import { circumstancesOf, foundIn } from '../check.js';
import type { Attributes } from '../model/attributes.js';
import type { Outcome } from '../model/decision.js';
import type { SpiffeId } from '../model/ids.js';
import type { Settings } from '../model/settings.js';
import type { Snapshot } from '../model/snapshot.js';
import type { CachedDecision } from '../state/decision-cache.js';
import { answerOf } from '../wire/answer.js';
import type { Glance } from '../wire/glance.js';
import { prepareAnswer } from '../wire/prepared-answer.js';
import type { PreparedAnswer } from '../wire/prepared-answer.js';
import { readRequest } from '../wire/read-request.js';
import { encodeAnswer } from '../wire/write-response.js';
import { mayQuote, quotable } from './quoted.js';
import type { Quotable } from './quoted.js';
import { isPlain } from './texts.js';

/** Explanations that are longer are rare; the whole record is made for them. */
const LONGEST_DETAIL = 300;

/** A cached decision as this snapshot answers with it: everything but id, moment and request. */
export class Settled {
  /** Without an id, at no moment. */
  readonly outcome: Outcome;
  #answer: PreparedAnswer | undefined;
  #record: RecordTemplate | 'none' | undefined;
  #explanation: Quotable | undefined;
  #told = -Infinity;

  constructor(
    readonly entry: CachedDecision,
    readonly grpc: boolean,
    private readonly settings: Settings,
    snapshot: Snapshot,
    guard: SpiffeId | undefined,
  ) {
    const circumstances = circumstancesOf(snapshot, guard, settings);
    this.outcome = { ...foundIn(circumstances.mode, entry), ...circumstances, id: '', time: 0 };
  }

  /** Worth its time and memory where it is used again. */
  prepare(): void {
    this.#answer = prepareAnswer((id) => this.#encoded(id));
  }

  answer(id: string): Buffer {
    return this.#answer?.withId(id) ?? this.#encoded(id);
  }

  #encoded(id: string): Buffer {
    const outcome = { ...this.outcome, id };
    return encodeAnswer(answerOf(outcome, { grpc: this.grpc, ours: [] }, this.settings, answerMetadata(outcome)));
  }

  /** Whether a second has passed since this was asked. */
  isNewAt(time: number): boolean {
    if (Math.abs(time - this.#told) < 1000) return false;
    this.#told = time;
    return true;
  }

  /** Undefined where what a record says depends on more of the request. */
  record(): RecordTemplate | undefined {
    this.#record ??= this.#template() ?? 'none';
    return this.#record === 'none' ? undefined : this.#record;
  }

  /** What the record says of a refusal; undefined where it says nothing. */
  explanation(): Quotable | undefined {
    const detail = this.record()?.detail;
    if (detail === undefined) return undefined;
    return (this.#explanation ??= quotable(detail));
  }

  #template(): RecordTemplate | undefined {
    const { verdict } = this.outcome;
    const { environment, audit } = this.settings;
    const template = recordTemplate(this.outcome, { environment, path: audit.path });
    if (verdict.kind === 'allow') return template;
    const { detail } = verdict.refusal;
    if (detail === '') return template;
    const asItIs = template.detail === detail && isPlain(detail) && detail.length <= LONGEST_DETAIL;
    return asItIs ? template : undefined;
  }
}

/** What all checks of a guard share. */
export interface Common {
  readonly glance: Glance;
  readonly momentOf: (time: number) => string;
}

/** One check that was answered with it. */
export class Found {
  microseconds = 0;
  readonly #told: string;
  readonly #common: Common;
  // Where the names lie that the request has for itself; the bytes are looked at in a later turn.
  readonly #traceparent: number;
  readonly #traceparentEnd: number;
  readonly #requestId: number;
  readonly #requestIdEnd: number;

  constructor(
    readonly settled: Settled,
    readonly id: string,
    /** ms since 1970. */
    readonly time: number,
    readonly answer: Buffer,
    private readonly bytes: Buffer,
    told: string,
    common: Common,
  ) {
    const { seen } = common.glance;
    this.#told = told;
    this.#common = common;
    this.#traceparent = seen.traceparent;
    this.#traceparentEnd = seen.traceparentEnd;
    this.#requestId = seen.requestId;
    this.#requestIdEnd = seen.requestIdEnd;
  }

  get outcome(): Outcome {
    return { ...this.settled.outcome, id: this.id, time: this.time };
  }

  get attributes(): Attributes {
    return new LateAttributes(this.bytes);
  }

  /** The record as text, as JSON would have it of the whole record; undefined where that has to be made. */
  line(): string | undefined {
    const template = this.settled.record();
    if (template === undefined || this.#mayQuote()) return undefined;
    const traces = tracePart(
      valueAt(this.bytes, this.#traceparent, this.#traceparentEnd),
      valueAt(this.bytes, this.#requestId, this.#requestIdEnd),
    );
    return template.line(this.id, this.#common.momentOf(this.time), this.microseconds, this.#told + traces);
  }

  #mayQuote(): boolean {
    const detail = this.settled.explanation();
    if (detail === undefined) return false;
    const { glance } = this.#common;
    return !glance.look(this.bytes) || mayQuote(detail, this.bytes, glance.seen);
  }
}

/** As read-headers.ts reads it; a header that is there without a value is no more than one that is not. */
const valueAt = (bytes: Buffer, from: number, to: number): string | undefined =>
  from === to ? undefined : bytes.toString('utf8', from, to);

/** What a request says, read when somebody looks. */
class LateAttributes implements Attributes {
  #read: Attributes | undefined;

  constructor(private readonly bytes: Buffer) {}

  #attributes(): Attributes {
    if (this.#read !== undefined) return this.#read;
    const read = readRequest(this.bytes);
    if (!read.ok) throw new Error(`a request that was answered before can not be read: ${read.detail}`);
    return (this.#read = read.value);
  }

  get principal(): string {
    return this.#attributes().principal;
  }
  get certificate(): string {
    return this.#attributes().certificate;
  }
  get destinationPrincipal(): string {
    return this.#attributes().destinationPrincipal;
  }
  get method(): string {
    return this.#attributes().method;
  }
  get path(): string {
    return this.#attributes().path;
  }
  get host(): string {
    return this.#attributes().host;
  }
  get headers(): Attributes['headers'] {
    return this.#attributes().headers;
  }
}
