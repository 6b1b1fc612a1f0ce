/**
 * Bytes → Attributes. In: the body of one Check call. Out: what the rest of the house looks at. Refuses, and never
 * throws: `limit_exceeded` beyond the limits of contract section 9; `request_malformed` for bytes that are no
 * CheckRequest, a part that is missing or comes twice, text that is not UTF-8; `header_ambiguous` where the header lines
 * can be read in two ways. Reads nothing but the fields below. Does NOT judge method, path, host or any header's value.
 */
import type { Attributes } from '../model/attributes.js';
import { ok, refuse } from '../model/result.js';
import type { Result } from '../model/result.js';
import { findFields, malformed, shapeOf, textAt } from './message.js';
import type { Range } from './message.js';
import { readHeaders } from './read-headers.js';

/** Contract section 9. */
export const MAX_REQUEST_BYTES = 1024 * 1024;

/** Field numbers of envoy.service.auth.v3, read alike by the loaded proto files: test/wire/read-request.test.ts. */
const CHECK_REQUEST = shapeOf('CheckRequest', { attributes: 1 });
const ATTRIBUTES = shapeOf('attributes', { source: 1, destination: 2, request: 4 });
const PEER = shapeOf('peer', { principal: 4, certificate: 5 });
const REQUEST = shapeOf('request', { http: 2 });
const HTTP = shapeOf('http', { method: 2, path: 4, host: 5, header_map: 13 }, { headers: 3 });

export function readRequest(input: Uint8Array): Result<Attributes> {
  if (input.length > MAX_REQUEST_BYTES)
    return refuse(
      'limit_exceeded',
      `the CheckRequest has ${input.length} bytes, at most ${MAX_REQUEST_BYTES} are read`,
    );
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.length);
  const top = findFields(bytes, { from: 0, to: bytes.length }, CHECK_REQUEST);
  if (!top.ok) return top;
  if (top.value.one.attributes === undefined) return malformed('the CheckRequest has no attributes');
  const parts = findFields(bytes, top.value.one.attributes, ATTRIBUTES);
  if (!parts.ok) return parts;
  const { source, destination, request } = parts.value.one;
  if (request === undefined) return malformed('the attributes have no request');
  const inner = findFields(bytes, request, REQUEST);
  if (!inner.ok) return inner;
  if (inner.value.one.http === undefined) return malformed('the request has no http part');
  const peer = readPeer(bytes, source);
  if (!peer.ok) return peer;
  const own = readPeer(bytes, destination);
  if (!own.ok) return own;
  const http = readHttp(bytes, inner.value.one.http);
  return http.ok ? ok({ ...peer.value, destinationPrincipal: own.value.principal, ...http.value }) : http;
}

/** Envoy leaves the peer out where it knows nothing about it. */
function readPeer(bytes: Buffer, range: Range | undefined): Result<Pick<Attributes, 'principal' | 'certificate'>> {
  if (range === undefined) return ok({ principal: '', certificate: '' });
  const peer = findFields(bytes, range, PEER);
  if (!peer.ok) return peer;
  const principal = textAt(bytes, peer.value.one.principal);
  const certificate = textAt(bytes, peer.value.one.certificate);
  if (principal === undefined || certificate === undefined) return malformed('a peer holds text that is not UTF-8');
  return ok({ principal, certificate });
}

function readHttp(bytes: Buffer, range: Range): Result<Pick<Attributes, 'method' | 'path' | 'host' | 'headers'>> {
  const http = findFields(bytes, range, HTTP);
  if (!http.ok) return http;
  const method = textAt(bytes, http.value.one.method);
  const path = textAt(bytes, http.value.one.path);
  const host = textAt(bytes, http.value.one.host);
  if (method === undefined || path === undefined || host === undefined)
    return malformed('method, path or host is not UTF-8');
  const headers = readHeaders(bytes, http.value.many.headers ?? [], http.value.one.header_map);
  return headers.ok ? ok({ method, path, host, headers: headers.value }) : headers;
}
