/**
 * One GET over https, held to limits. In: a URL, who may be connected to, who may have signed the server's certificate. Out:
 * status, headers and text, or one sentence. Refuses other schemes, addresses that may not be (judged on the address that
 * is connected to, so that a name cannot be turned around between the question and the call), bodies beyond 1 MiB while
 * they are read, anything compressed, what is not UTF-8. Does NOT follow redirects, and does NOT judge the text.
 */
import { lookup as systemLookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import type { DetailedPeerCertificate, SecureContext, TLSSocket } from 'node:tls';
import type { MayConnect } from './addresses.js';

export interface Limits {
  /** For all of it, from the name's resolution to the last byte, ms. */
  readonly whole: number;
  /** Without a byte, ms. */
  readonly idle: number;
  /** Of the body. */
  readonly bytes: number;
}

/** A healthy source answers within a second; the next attempt is never far. A set of 1000 keys is below 1 MiB. */
export const LIMITS: Limits = { whole: 10_000, idle: 5_000, bytes: 1024 * 1024 };
const MAX_HEADER_BYTES = 16 * 1024;
/** Certificates of a server that are looked at. */
const MAX_CHAIN = 10;

export type Lookup = (
  host: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** How connections are made: the same for all requests of one source. */
export interface Transport {
  readonly mayConnect: MayConnect;
  /** Who may have signed the server's certificate; undefined: whom Node.js trusts. */
  readonly secureContext: SecureContext | undefined;
  readonly limits: Limits;
  /**
   * Judges the server by the chain that it has shown (DER, the leaf first), in place of names and public authorities: what is
   * wrong with it, or undefined.
   */
  readonly serverProblem?: (chain: readonly Uint8Array[]) => string | undefined;
  /** For tests: what the system's resolver would say. */
  readonly lookup?: Lookup;
}

export type Answered =
  | { readonly ok: true; readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string }
  | { readonly ok: false; readonly problem: string };

export async function get(
  url: URL,
  headers: Readonly<Record<string, string>>,
  transport: Transport,
  ended: AbortSignal,
): Promise<Answered> {
  const problem = refusedAddress(url, transport.mayConnect);
  if (problem !== undefined) return { ok: false, problem };
  const { limits } = transport;
  const time = endingAfter(limits.whole, ended);
  try {
    return await bodyOf(await responseTo(url, headers, transport, time.signal), limits);
  } catch (error) {
    return { ok: false, problem: time.isUp() ? `no whole answer within ${limits.whole} ms` : problemOf(error) };
  } finally {
    time.forget();
  }
}

/** Aborts when the time is up or the guard ends; nothing of it outlives the request. */
function endingAfter(ms: number, ended: AbortSignal) {
  const controller = new AbortController();
  let up = false;
  const abort = (): void => controller.abort();
  const timer = setTimeout(() => {
    up = true;
    abort();
  }, ms);
  ended.addEventListener('abort', abort, { once: true });
  if (ended.aborted) abort();
  const forget = (): void => {
    clearTimeout(timer);
    ended.removeEventListener('abort', abort);
  };
  return { signal: controller.signal, isUp: () => up, forget };
}

/** An address in the URL itself is asked for no name, so that the lookup never sees it. */
function refusedAddress({ protocol, hostname }: URL, mayConnect: MayConnect): string | undefined {
  if (protocol !== 'https:') return `only https is asked, not ${protocol}`;
  const address = hostname.replace(/^\[|\]$/g, '');
  return isIP(address) === 0 || mayConnect(address) ? undefined : notAllowed(address);
}

const notAllowed = (address: string): string =>
  `its address ${address} is private or link-local; list it where such addresses are allowed if it is meant`;

function responseTo(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { secureContext, serverProblem, limits, mayConnect, lookup = systemLookup }: Transport,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      // Each request is a connection of its own: the address is judged anew each time.
      agent: false,
      headers: { accept: 'application/json, */*;q=0.1', 'accept-encoding': 'identity', ...headers },
      lookup: guardedLookup(mayConnect, lookup),
      maxHeaderSize: MAX_HEADER_BYTES,
      timeout: limits.idle,
      signal,
      ...(secureContext === undefined ? {} : { secureContext }),
      // Judged below, before anything of an answer is read.
      // Said in any case: an environment variable of Node's would switch it off.
      rejectUnauthorized: serverProblem === undefined,
    });
    let judged = serverProblem === undefined;
    asked.on('socket', (socket) =>
      socket.once('secureConnect', () => {
        const problem = serverProblem?.(chainOf(socket as TLSSocket));
        judged = problem === undefined;
        if (problem !== undefined) asked.destroy(new Error(problem));
      }),
    );
    asked.on('timeout', () => asked.destroy(new Error(`nothing came for ${limits.idle} ms`)));
    asked.on('response', (response) => (judged ? resolve(response) : reject(new Error('its server was not judged'))));
    asked.on('error', reject);
    asked.end();
  });
}

/** As Node links them: each certificate to its issuer, a root to itself. */
function chainOf(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let at: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  while (at?.raw !== undefined && chain.length < MAX_CHAIN) {
    chain.push(new Uint8Array(at.raw));
    at = at.issuerCertificate === at ? undefined : at.issuerCertificate;
  }
  return chain;
}

/** Gives out only addresses that may be connected to; Node connects to these and asks nobody again. */
function guardedLookup(mayConnect: MayConnect, lookup: Lookup): LookupFunction {
  return (host, options, callback) =>
    lookup(host, { all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      const allowed = (addresses ?? []).filter(({ address }) => mayConnect(address));
      const [usable] = allowed;
      if (error !== null || first === undefined) callback(error ?? new Error(`${host} has no address`), []);
      else if (usable === undefined) callback(new Error(notAllowed(first.address)), []);
      else if (options.all === true) callback(null, allowed);
      else callback(null, usable.address, usable.family);
    });
}

async function bodyOf(response: IncomingMessage, { bytes }: Limits): Promise<Answered> {
  const { statusCode: status = 0, headers } = response;
  const coding = headers['content-encoding'];
  const tooLong = `its answer has more than ${bytes} bytes`;
  try {
    if (coding !== undefined && coding !== 'identity') return { ok: false, problem: 'its answer is compressed' };
    if (Number(headers['content-length'] ?? 0) > bytes) return { ok: false, problem: tooLong };
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > bytes) return { ok: false, problem: tooLong };
      chunks.push(chunk);
    }
    if (!response.complete) return { ok: false, problem: 'its answer broke off' };
    return { ok: true, status, headers, text: new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)) };
  } finally {
    response.destroy();
  }
}

function problemOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'its answer is not UTF-8';
  // Of several addresses that all failed Node says nothing but the code.
  const text = error instanceof Error && error.message !== '' ? error.message : (code ?? String(error));
  return `it can not be fetched: ${text.slice(0, 300)}`;
}
