/**
 * One stream of the SPIFFE Workload API that is kept open (Workload API §4.2, Workload Endpoint §3 to §6). In: an
 * endpoint, a method. Out: the bytes of each answer as it comes, and why there is no stream where there is none.
 *
 *   asking ──answer──▶ open ──end──▶ waiting ──time──▶ asking
 *     │                                 ▲
 *     ├──end, no answer for long────────┤      `wake` ends waiting and stopped
 *     └──asked wrongly──▶ stopped ──────┘
 *
 * Does NOT look into an answer, and knows nobody on the other side: whoever can write to the socket is believed.
 */
import { randomInt } from 'node:crypto';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type { ChannelOptions, ClientReadableStream, StatusObject } from '@grpc/grpc-js';
import type { Address } from '../../model/settings.js';

/** How a stream ended: gone for now; the agent knows nothing for us (any more); it does not understand the question. */
export type Ending = 'lost' | 'denied' | 'refused';

export interface StreamListener {
  readonly onAnswer: (bytes: Buffer) => void;
  readonly onEnd: (ending: Ending, problem: string) => void;
}

export interface Stream {
  /** Asks at once where it waits, also where it had stopped. */
  wake(): void;
  close(): void;
}

/** ms. */
export interface Pace {
  /** Before the first attempt after a stream that had answered; doubles with each one that did not. */
  readonly first: number;
  readonly most: number;
  /** For the first answer, which comes at once (§4.3). */
  readonly patience: number;
}

/** An agent restarts within seconds; thousands of guards must not ask it in the same moment. */
export const PACE: Pace = { first: 500, most: 30_000, patience: 15_000 };

const CHANNEL: ChannelOptions = {
  // Bundles of many federated domains; the same bound as for files.
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  // Each attempt is a connection of its own: the back-off is ours, and nothing on the way to a local agent is a proxy.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_retries': 0,
  'grpc.enable_channelz': 0,
};

type Call = ClientReadableStream<Buffer>;

interface Attempt {
  readonly client: Client;
  readonly call: Call;
}

export function openStream(endpoint: Address, path: string, listener: StreamListener, pace: Pace = PACE): Stream {
  let attempt: Attempt | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;
  let closed = false;

  const ask = (): void => {
    clearTimeout(timer);
    const own = (attempt = call(endpoint, path));
    let late = false;
    const impatience = setTimeout(() => {
      late = true;
      own.call.cancel();
    }, pace.patience).unref();
    own.call.on('data', (bytes: Buffer) => {
      clearTimeout(impatience);
      failures = 0;
      if (!closed) listener.onAnswer(bytes);
    });
    // Every end is told once more, in full, as a status.
    own.call.on('error', () => undefined);
    own.call.on('status', (end: StatusObject) => {
      clearTimeout(impatience);
      own.client.close();
      attempt = undefined;
      if (!closed) ended(end, late);
    });
  };

  const ended = (end: StatusObject, late: boolean): void => {
    const ending = endingOf(end);
    if (ending !== 'refused') timer = setTimeout(ask, waitBefore(failures, pace)).unref();
    failures += 1;
    listener.onEnd(ending, late ? 'the Workload API did not answer in time' : problemOf(end));
  };

  ask();
  return {
    wake: () => void (attempt === undefined && !closed && ask()),
    close() {
      closed = true;
      clearTimeout(timer);
      attempt?.call.cancel();
    },
  };
}

function call(endpoint: Address, path: string): Attempt {
  const client = new Client(targetOf(endpoint), credentials.createInsecure(), CHANNEL);
  const metadata = new Metadata();
  // Workload Endpoint §5: it keeps a browser or a confused proxy from asking for somebody.
  metadata.set('workload.spiffe.io', 'true');
  const asIs = (bytes: Buffer): Buffer => bytes;
  return { client, call: client.makeServerStreamRequest(path, asIs, asIs, EMPTY, metadata) };
}

/** All requests are messages without a field. */
const EMPTY = Buffer.alloc(0);

const targetOf = (endpoint: Address): string => {
  if (endpoint.kind === 'unix') return `unix:${endpoint.path}`;
  return endpoint.host.includes(':') ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`;
};

/** Half of it is fixed and half of it chance, so that guards that lost one agent together do not come back together. */
function waitBefore(failures: number, { first, most }: Pace): number {
  const full = Math.min(most, first * 2 ** Math.min(failures, 20));
  return full / 2 + randomInt(Math.max(1, Math.ceil(full / 2)));
}

/** Workload Endpoint §6: what is asked wrongly is as wrong the second time. */
function endingOf({ code }: StatusObject): Ending {
  if (code === status.PERMISSION_DENIED) return 'denied';
  return code === status.INVALID_ARGUMENT || code === status.UNIMPLEMENTED ? 'refused' : 'lost';
}

/** Of an agent's words only the first are told. */
const MAX_DETAILS = 200;

/** grpc-js stands around what the system said of a connection. */
const AROUND = /^No connection established\. Last error: (Error: )?|\.? ?Resolution note: .*$/gs;

function problemOf({ code, details }: StatusObject): string {
  if (code === status.OK) return 'the Workload API ended the stream';
  const said = details.replace(AROUND, '').slice(0, MAX_DETAILS);
  if (code === status.UNAVAILABLE) return `the Workload API is not available: ${said}`;
  return `the Workload API answered ${status[code]}: ${said}`;
}
