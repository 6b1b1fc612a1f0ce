/**
 * `firsthand health [--address A]`: asks a running guard, for images without a shell. HOST:PORT is asked for /readyz over
 * HTTP, unix:PATH (a check socket) for grpc.health.v1. One line; exit 0 serving, 1 not. Follows no redirect, sends no
 * secret, and waits at most three seconds: a probe that hangs says nothing.
 */
import { request } from 'node:http';
import { resolve } from 'node:path';
import { anyAddress } from '../config/address.js';
import { oneLine } from '../config/words.js';
import type { Address } from '../model/settings.js';
import { complain, UNREADABLE } from './io.js';
import type { Io } from './io.js';

/** The default of `listen.admin`. */
const DEFAULT_ADDRESS = '127.0.0.1:9192';
export const HEALTH_VARIABLE = 'FIRSTHAND_HEALTH_ADDRESS';

const PATIENCE_MS = 3_000;
/** The detail of /readyz is one line of JSON. */
const MAX_BODY = 16 * 1024;

type Health =
  | { readonly kind: 'serving' }
  | { readonly kind: 'not serving'; readonly detail: string }
  | { readonly kind: 'unreachable'; readonly detail: string };

export async function health({ address }: { readonly address?: string }, io: Io): Promise<number> {
  const configured = io.env[HEALTH_VARIABLE];
  const text = address ?? (configured === undefined || configured === '' ? DEFAULT_ADDRESS : configured);
  const parsed = anyAddress(text);
  if (!('value' in parsed)) {
    complain(io, `${parsed.problem}${parsed.hint === undefined ? '' : ` (${parsed.hint})`}`);
    return UNREADABLE;
  }
  const found = await ask(parsed.value, io.now);
  switch (found.kind) {
    case 'serving':
      io.stdout(`serving: ${text}\n`);
      return 0;
    case 'not serving':
      io.stdout(`not serving: ${text}${found.detail === '' ? '' : `: ${oneLine(found.detail)}`}\n`);
      return 1;
    case 'unreachable':
      complain(io, `${text} gives no answer: ${oneLine(found.detail)}; is the guard running, and is this its address?`);
      return 1;
  }
}

const ask = (address: Address, now: () => number): Promise<Health> =>
  address.kind === 'unix' ? askCheckSocket(resolve(address.path), now) : askReadyz(address.host, address.port);

/** The Host line is always one that the admin listener takes: a name in --address is for finding it, nothing else. */
function askReadyz(host: string, port: number): Promise<Health> {
  return new Promise((settle) => {
    const unreachable = (detail: string): void => settle({ kind: 'unreachable', detail });
    const asked = request(
      {
        host,
        port,
        path: '/readyz',
        headers: { host: 'localhost' },
        agent: false,
        signal: AbortSignal.timeout(PATIENCE_MS),
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (body = (body + part).slice(0, MAX_BODY)));
        response.on('error', (error) => unreachable(error.message));
        response.on('end', () => settle(readyzSays(response.statusCode ?? 0, body)));
      },
    );
    asked.on('error', (error) => unreachable(reasonOf(error)));
    asked.end();
  });
}

function readyzSays(status: number, body: string): Health {
  if (status === 200) return { kind: 'serving' };
  if (status === 503) return { kind: 'not serving', detail: body.trim() };
  return { kind: 'unreachable', detail: `it answered ${status}, which no guard does on /readyz` };
}

const reasonOf = (error: Error): string =>
  error.name === 'AbortError' || error.name === 'TimeoutError'
    ? `nothing within ${PATIENCE_MS / 1000} seconds`
    : error.message;

/** Overall health (an empty service name). Health asks for no secret of the listener. */
async function askCheckSocket(path: string, now: () => number): Promise<Health> {
  const { Client, credentials } = await import('@grpc/grpc-js');
  const { service } = await import('grpc-health-check');
  const { Check } = service;
  if (Check === undefined) throw new Error('the health service has no method Check');
  const client = new Client(`unix:${path}`, credentials.createInsecure());
  try {
    const answer = await new Promise<object>((settle, fail) =>
      client.makeUnaryRequest<object, object>(
        Check.path,
        Check.requestSerialize,
        Check.responseDeserialize,
        { service: '' },
        { deadline: now() + PATIENCE_MS },
        (error, value) => (value === undefined ? fail(error ?? new Error('an empty answer')) : settle(value)),
      ),
    );
    const status = 'status' in answer ? String(answer.status) : 'UNKNOWN';
    return status === 'SERVING' ? { kind: 'serving' } : { kind: 'not serving', detail: status };
  } catch (error) {
    return { kind: 'unreachable', detail: error instanceof Error ? error.message : String(error) };
  } finally {
    client.close();
  }
}
