/**
 * One process of the load generator: a grpc-js client with one connection for each server. In, by message: what to send and
 * for how long. Out: how many answers came, and how many were not the right ones. A closed loop: each answer is
 * followed by the next request.
 */
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { freshId, readPrepared, reasonBytes } from './prepared.js';
import type { Prepared } from './prepared.js';

export interface Order {
  readonly socket: string;
  readonly file: string;
  readonly concurrency: number;
  /** Of the requests in the file every `step`-th from `first`. */
  readonly first: number;
  readonly step: number;
  /** `once`: each request once. A number: round and round for so many ms. */
  readonly until: 'once' | number;
  /** False for a server that decides nothing. */
  readonly checkVerdicts: boolean;
}

export interface Tally {
  readonly answers: number;
  readonly wrong: number;
  /** One example. */
  readonly example: string | undefined;
}

const CHECK = '/envoy.service.auth.v3.Authorization/Check';
const asIs = (bytes: Buffer): Buffer => bytes;
const files = new Map<string, { readonly requests: readonly Prepared[]; readonly expected: readonly Buffer[] }>();
const clients = new Map<string, Client>();

function contentOf(file: string) {
  const known = files.get(file);
  if (known !== undefined) return known;
  const requests = readPrepared(file);
  const patterns = new Map<string, Buffer>();
  const expected = requests.map(({ reason }) => {
    const pattern = patterns.get(reason) ?? reasonBytes(reason);
    patterns.set(reason, pattern);
    return pattern;
  });
  const content = { requests, expected };
  files.set(file, content);
  return content;
}

function clientOf(socket: string): Client {
  const known = clients.get(socket);
  if (known !== undefined) return known;
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  clients.set(socket, client);
  return client;
}

function run(order: Order): Promise<Tally> {
  const { requests, expected } = contentOf(order.file);
  const client = clientOf(order.socket);
  const metadata = new Metadata();
  const end = order.until === 'once' ? Infinity : performance.now() + order.until;
  const tally: { answers: number; wrong: number; example: string | undefined } = {
    answers: 0,
    wrong: 0,
    example: undefined,
  };
  let next = order.first;
  const wrong = (text: string): void => {
    tally.wrong += 1;
    tally.example ??= text;
  };
  return new Promise((resolve) => {
    let running = order.concurrency;
    const ask = (): void => {
      if (order.until !== 'once') next %= requests.length;
      const at = next;
      const [request, pattern] = [requests[at], expected[at]];
      if (request === undefined || pattern === undefined || performance.now() > end) {
        if ((running -= 1) === 0) resolve(tally);
        return;
      }
      next += order.step;
      freshId(request);
      client.makeUnaryRequest(CHECK, asIs, asIs, request.bytes, metadata, {}, (error, answer?: Buffer) => {
        tally.answers += 1;
        if (error !== null || answer === undefined) wrong(`${request.reason}: ${error?.message ?? 'no answer'}`);
        else if (order.checkVerdicts && !answer.includes(pattern)) wrong(`expected ${request.reason}`);
        ask();
      });
    };
    for (let n = 0; n < order.concurrency; n += 1) ask();
  });
}

process.on('message', (order: Order | 'end') => {
  if (order === 'end') process.exit(0);
  void run(order).then((tally) => process.send?.(tally));
});
