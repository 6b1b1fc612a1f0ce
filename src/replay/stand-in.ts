/**
 * A recorded check → the attributes of the request, with a stand-in where a token was: its header and claims under a
 * signature that nobody could take for one. In: the record. Out: what the engine reads, refusing again what it refused.
 */
import { headersOf } from '../model/attributes.js';
import type { Attributes } from '../model/attributes.js';
import type { RecordedCheck, RecordedToken } from './recorded.js';

export function attributesOf({ request, tokens }: RecordedCheck): Attributes {
  return {
    principal: request.principal,
    certificate: request.certificate,
    destinationPrincipal: request.destination,
    method: request.method,
    path: request.path,
    host: request.host,
    headers: headersOf([...request.headers, ...tokens.flatMap(linesOf)]),
  };
}

/** One byte more than a token may have. */
const TOO_LONG = 'x'.repeat(16 * 1024 + 1);

function linesOf({ place, read }: RecordedToken): [string, string][] {
  const line = (text: string): [string, string] => [place, place === 'authorization' ? `Bearer ${text}` : text];
  switch (read.as) {
    case 'nothing':
      return [];
    case 'token':
      return [line([part(read.header), part(read.claims), part('reduced')].join('.'))];
    case 'refused':
      if (read.reason === 'header_ambiguous') return [line('x'), line('x')];
      return [line(read.reason === 'limit_exceeded' ? TOO_LONG : 'malformed')];
  }
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
