/** Requests made in advance, and the file in which they reach another process. */
import { readFileSync, writeFileSync } from 'node:fs';

export interface Prepared {
  readonly bytes: Buffer;
  /** Where the 36 characters of x-request-id are, so that no two requests on the wire are the same. */
  readonly idAt: number;
  /** What the guard must say. */
  readonly reason: string;
}

export function writePrepared(file: string, requests: readonly Prepared[]): void {
  const parts: Buffer[] = [];
  for (const { bytes, idAt, reason } of requests) {
    const head = Buffer.alloc(9);
    head.writeUInt32BE(bytes.length, 0);
    head.writeUInt32BE(idAt, 4);
    head.writeUInt8(reason.length, 8);
    parts.push(head, Buffer.from(reason), bytes);
  }
  writeFileSync(file, Buffer.concat(parts));
}

export function readPrepared(file: string): Prepared[] {
  const all = readFileSync(file);
  const requests: Prepared[] = [];
  for (let at = 0; at < all.length;) {
    const reasonAt = at + 9;
    const bytesAt = reasonAt + all.readUInt8(at + 8);
    const end = bytesAt + all.readUInt32BE(at);
    requests.push({
      bytes: all.subarray(bytesAt, end),
      idAt: all.readUInt32BE(at + 4),
      reason: all.toString('latin1', reasonAt, bytesAt),
    });
    at = end;
  }
  return requests;
}

/** How a reason stands in an answer's dynamic metadata: a string_value (field 3) of google.protobuf.Value. */
export const reasonBytes = (reason: string): Buffer =>
  Buffer.concat([Buffer.from([0x1a, reason.length]), Buffer.from(reason)]);

/** The bytes of each reason, made once. */
export function patternsOf(): (reason: string) => Buffer {
  const known = new Map<string, Buffer>();
  return (reason) => {
    const pattern = known.get(reason) ?? reasonBytes(reason);
    known.set(reason, pattern);
    return pattern;
  };
}
