/** What one glance found (glance.ts). Data: made once, filled again and again. */
/** Places in the bytes, from (inclusive) and to (exclusive); what is not there is 0 and 0. Overwritten by the next glance. */
export interface Seen {
  principal: number;
  principalEnd: number;
  certificate: number;
  certificateEnd: number;
  destination: number;
  destinationEnd: number;
  method: number;
  methodEnd: number;
  /** Up to the first `?`. */
  path: number;
  pathEnd: number;
  targetEnd: number;
  host: number;
  hostEnd: number;
  forwarded: number;
  forwardedEnd: number;
  traceparent: number;
  traceparentEnd: number;
  requestId: number;
  requestIdEnd: number;
  /** The content type is application/grpc or one of its kin. */
  grpc: boolean;
  /** Two numbers for each place of a token, in the order of the places. */
  readonly credentials: Int32Array;
  /** Two numbers for each header value, as far as `values` counts. */
  readonly valuePlaces: Int32Array;
  values: number;
}

export const nothingSeen = (credentials: number, headers: number): Seen => ({
  ...{ principal: 0, principalEnd: 0, certificate: 0, certificateEnd: 0, destination: 0, destinationEnd: 0 },
  ...{ method: 0, methodEnd: 0, path: 0, pathEnd: 0, targetEnd: 0, host: 0, hostEnd: 0 },
  ...{ forwarded: 0, forwardedEnd: 0, traceparent: 0, traceparentEnd: 0, requestId: 0, requestIdEnd: 0 },
  ...{ grpc: false, credentials: new Int32Array(credentials * 2) },
  ...{ valuePlaces: new Int32Array(headers * 2), values: 0 },
});

export function forget(seen: Seen): void {
  seen.principal = seen.principalEnd = seen.certificate = seen.certificateEnd = 0;
  seen.destination = seen.destinationEnd = seen.method = seen.methodEnd = 0;
  seen.path = seen.pathEnd = seen.targetEnd = seen.host = seen.hostEnd = 0;
  seen.forwarded = seen.forwardedEnd = seen.traceparent = seen.traceparentEnd = 0;
  seen.requestId = seen.requestIdEnd = 0;
  seen.grpc = false;
  seen.credentials.fill(0);
}
