/**
 * What a request wants, and what it gets. In: a stream with its head, then with its message. Out: an answer or a status
 * to the sender. A call is refused as soon as its head says why; what is not gRPC at all gets plain HTTP at its end.
 * The handler alone can give an OK: every other path ends with a status that is not 0, with health's bytes, or with no
 * 2xx. Does NOT read a CheckRequest.
 */
import { isSecret, SECRET_REQUIRED } from '../secret.js';
import type { Refused } from './body.js';
import { UNREADABLE } from './field.js';
import { SERVICE_UNKNOWN, serviceOf } from './health.js';
import type { RequestHead } from './request-head.js';
import * as response from './response.js';
import type { Response } from './response.js';
import type { Sender } from './sender.js';
import type { Shared } from './shared.js';
import { ANSWERING, CLOSED } from './stream.js';
import type { Stream } from './stream.js';
import type { Streams } from './streams.js';
import { CHECK, HEALTH_WATCH, UNKNOWN } from './target.js';

const { grpcTrailers, httpRefusal } = response;

const HEADERS_TOO_LARGE = httpRefusal(431, 'the headers are too large');
const NOT_POST = httpRefusal(405, 'this is a gRPC service: POST only', ['allow', 'POST']);
const NOT_GRPC = httpRefusal(415, 'this is a gRPC service: expected content-type application/grpc');
const NO_SECRET = grpcTrailers(response.UNAUTHENTICATED, SECRET_REQUIRED);
const NO_METHOD = grpcTrailers(response.UNIMPLEMENTED, 'there is no such method here');
const BAD_TIMEOUT = grpcTrailers(response.INTERNAL, 'grpc-timeout is not 1 to 8 digits and a unit');
const BAD_HEALTH_REQUEST = grpcTrailers(response.INTERNAL, 'this is no HealthCheckRequest');
const NO_SERVICE = grpcTrailers(response.NOT_FOUND, 'there is no such service here');
const TOO_LATE = grpcTrailers(response.DEADLINE_EXCEEDED, 'the deadline has passed');
const GOING_AWAY = grpcTrailers(response.UNAVAILABLE, 'this listener closes');

/** The longest that a timer of Node can wait. */
const MAX_TIMER = 0x7fff_ffff;

export class Calls {
  constructor(
    private readonly shared: Shared,
    private readonly streams: Streams,
    private readonly sender: Sender,
    /** Runs what happens outside of a turn of the socket, so that its faults and its output are looked after. */
    private readonly later: (work: () => void) => void,
  ) {}

  /** After HEADERS. The stream may be closed afterwards. */
  begin(stream: Stream, head: RequestHead): void {
    stream.refusal = refusalOf(head);
    if (stream.refusal !== undefined) return;
    stream.target = head.target();
    const trailers = this.trailersFor(stream.target, head);
    if (trailers !== undefined) return this.sender.status(stream, trailers);
    const timeout = head.timeout();
    if (timeout !== Infinity) stream.deadline = this.shared.now() + timeout;
  }

  private trailersFor(target: number, head: RequestHead): Buffer | undefined {
    if (target === UNKNOWN) return NO_METHOD;
    const { secret } = this.shared;
    if (target === CHECK && secret !== undefined && !isSecret(head.secrets(), secret())) return NO_SECRET;
    return head.timeout() === UNREADABLE ? BAD_TIMEOUT : undefined;
  }

  /** After END_STREAM. */
  complete(stream: Stream, message: Buffer | Refused): void {
    stream.state = ANSWERING;
    if (stream.refusal !== undefined) this.sender.http(stream, stream.refusal);
    else if ('trailers' in message) this.sender.status(stream, message.trailers);
    else if (stream.target === CHECK) this.check(stream, message);
    else this.health(stream, message);
  }

  isLate(stream: Stream): boolean {
    return stream.deadline !== undefined && this.shared.now() >= stream.deadline;
  }

  /** Where the deadline passed before the message was here, or nothing came for too long. */
  expire(stream: Stream): void {
    this.sender.status(stream, TOO_LATE);
  }

  /** What would never end by itself. */
  endWatches(): void {
    for (const stream of this.streams.all()) if (stream.open) this.sender.status(stream, GOING_AWAY);
  }

  private check(stream: Stream, message: Buffer): void {
    const answer = this.shared.ask(message, stream.deadline);
    if (answer instanceof Uint8Array) this.sender.message(stream, answer);
    else this.wait(stream, answer);
  }

  private wait(stream: Stream, answer: Promise<Buffer>): void {
    stream.asked = true;
    stream.shared = true;
    this.expireAtDeadline(stream);
    void answer.then((bytes) => this.later(() => this.answered(stream, bytes)));
  }

  private answered(stream: Stream, bytes: Buffer): void {
    stream.asked = false;
    if (stream.state === CLOSED) return this.streams.answeredLate();
    clearTimeout(stream.timer);
    this.sender.message(stream, bytes);
  }

  private expireAtDeadline(stream: Stream): void {
    if (stream.deadline === undefined) return;
    const left = Math.min(Math.max(stream.deadline - this.shared.now(), 1), MAX_TIMER);
    stream.timer = setTimeout(() => this.later(() => this.expire(stream)), left);
  }

  private health(stream: Stream, message: Buffer): void {
    const service = serviceOf(message);
    if (service === undefined) return this.sender.status(stream, BAD_HEALTH_REQUEST);
    const status = this.shared.health.statusOf(service);
    if (stream.target === HEALTH_WATCH) this.watch(stream, status);
    else if (status === undefined) this.sender.status(stream, NO_SERVICE);
    else this.sender.message(stream, status);
  }

  private watch(stream: Stream, status: Buffer | undefined): void {
    stream.shared = true;
    this.expireAtDeadline(stream);
    if (status !== undefined)
      stream.left = this.shared.health.watch((next) => this.later(() => this.sender.push(stream, next)));
    this.sender.openEnded(stream, status ?? SERVICE_UNKNOWN);
  }
}

function refusalOf(head: RequestHead): Response | undefined {
  if (head.tooLarge()) return HEADERS_TOO_LARGE;
  if (!head.isPost()) return NOT_POST;
  return head.isGrpc() ? undefined : NOT_GRPC;
}
