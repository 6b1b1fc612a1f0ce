/**
 * grpc.health.v1 (health.proto): Check and Watch, encoded by hand. In: the bytes of a HealthCheckRequest. Out: the
 * bytes of a HealthCheckResponse, and again for each change to whoever watches. We know two names: the empty one, and
 * that of the Authorization service. Does NOT know streams: a watcher is a function.
 */
import { AUTHORIZATION } from '../names.js';

const SERVING = Buffer.of(0x08, 1);
const NOT_SERVING = Buffer.of(0x08, 2);
/** Watch says so of a name that it does not know; Check has a status for it. */
export const SERVICE_UNKNOWN = Buffer.of(0x08, 3);

export type Watcher = (response: Buffer) => void;

export class Health {
  private serving = true;
  private readonly watchers = new Set<Watcher>();

  /** undefined: no such service. */
  statusOf(service: string): Buffer | undefined {
    if (service !== '' && service !== AUTHORIZATION) return undefined;
    return this.serving ? SERVING : NOT_SERVING;
  }

  setServing(serving: boolean): void {
    if (this.serving === serving) return;
    this.serving = serving;
    for (const tell of [...this.watchers]) tell(serving ? SERVING : NOT_SERVING);
  }

  /** Until the function that comes back is called. */
  watch(watcher: Watcher): () => void {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }
}

/**
 * The field `service = 1`, the last one if there are several; undefined: not a HealthCheckRequest. Other fields are
 * skipped.
 */
export function serviceOf(request: Buffer): string | undefined {
  let service = '';
  let at = 0;
  while (at < request.length) {
    const tag = varint(request, at);
    const length = tag && sizeOf(request, tag.end, tag.value & 7);
    if (tag === undefined || tag.value >>> 3 === 0 || length === undefined || length.end > request.length)
      return undefined;
    if (tag.value === 0x0a) service = request.toString('utf8', length.start, length.end);
    at = length.end;
  }
  return service;
}

/** Where the value of a field lies. Groups (wire types 3 and 4) are in no message of this service. */
function sizeOf(bytes: Buffer, at: number, wireType: number): { start: number; end: number } | undefined {
  if (wireType === 1) return { start: at, end: at + 8 };
  if (wireType === 5) return { start: at, end: at + 4 };
  if (wireType !== 0 && wireType !== 2) return undefined;
  const number = varint(bytes, at);
  if (number === undefined || wireType === 0) return number && { start: at, end: number.end };
  return { start: number.end, end: number.end + number.value };
}

function varint(bytes: Buffer, at: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let index = 0; index < 10; index++) {
    const octet = bytes[at + index];
    if (octet === undefined) return undefined;
    value += (octet & 0x7f) * 2 ** (7 * index);
    if (octet < 0x80) return { value, end: at + index + 1 };
  }
  return undefined;
}
