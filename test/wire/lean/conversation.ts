/** Random conversations that are right in every frame, as a peer with a dynamic table of its own would send them. */
import * as frames from '../../../src/wire/lean/frame.js';
import { frame, PREFACE, settings } from '../../../src/wire/lean/frame.js';
import { framed } from '../../../src/wire/lean/response.js';
import type { Random } from '../../helpers/random.js';
import { block, indexedBlock, integer } from './hpack.js';
import type { Pair } from './hpack.js';
import { CHECK_HEADERS, data, headersOf, ping, reset, windowUpdate } from './wire.js';

/** Preface and SETTINGS first; then each element is one frame or some that belong together. */
export function conversation(random: Random, length: number): Buffer[] {
  const state = { id: -1, indexed: false };
  const said = [PREFACE, settings()];
  for (let index = 0; index < length; index++) said.push(exchange(random, state));
  return said;
}

function exchange(random: Random, state: { id: number; indexed: boolean }): Buffer {
  const kind = random.below(20);
  if (kind === 0) return ping(String(random.below(1e8)).padStart(8, '0'));
  if (kind === 1) return settings([4, 20_000 + random.below(60_000)], [random.below(60_000) + 10, 1]);
  if (kind === 2) return windowUpdate(0, 1 + random.below(100_000));
  if (kind === 3) return frame(0x20 + random.below(200), random.below(256), random.below(9), bytesOf(random, 40));
  if (kind === 4) return frame(frames.PRIORITY, 0, 2 * random.below(50) + 1, Buffer.of(0, 0, 0, 0, 16));
  if (kind === 5 && state.id > 0) return reset(1 + 2 * random.below((state.id + 1) / 2), random.below(14));
  return call(random, state);
}

function call(random: Random, state: { id: number; indexed: boolean }): Buffer {
  const id = (state.id += 2);
  const kind = random.below(12);
  if (kind === 0) return headersFrames(random, id, block(...headersOf({ ':method': 'GET' })), true);
  if (kind === 1) return body(random, id, block(...headersOf({ ':path': `/${random.below(9)}` })));
  if (kind === 2) return body(random, id, block(...headersOf({ ':path': '/grpc.health.v1.Health/Check' })), true);
  if (kind === 3) return headersFrames(random, id, block(...headersOf({ [random.pick(['te', 'Bad'])]: 'x' })), false);
  return body(random, id, checkBlock(random, state));
}

/** The first one fills the table; from then on the same headers are numbers. */
function checkBlock(random: Random, state: { indexed: boolean }): Buffer {
  const more: Pair[] = random.below(3) === 0 ? [['x-id', 'v'.repeat(random.below(100))]] : [];
  if (random.below(5) === 0) return block(...CHECK_HEADERS, ...more);
  const first = state.indexed;
  state.indexed = true;
  if (!first) return indexedBlock(...CHECK_HEADERS);
  const numbers = CHECK_HEADERS.map((_, index) => integer(62 + CHECK_HEADERS.length - 1 - index, 7, 0x80));
  return Buffer.concat([...numbers, block(...more)]);
}

function body(random: Random, id: number, head: Buffer, empty = false): Buffer {
  const message = framed(empty ? Buffer.alloc(0) : bytesOf(random, random.pick([10, 100, 3_000, 40_000])));
  // At most 20 pieces: more would be a flood.
  const size = Math.ceil(random.below(4) > 0 ? 16_000 : Math.min(16_000, message.length / (1 + random.below(20))));
  const pieces: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) pieces.push(message.subarray(at, at + size));
  const ends = random.below(4);
  const said = pieces.map((piece, index) => dataFrame(random, id, piece, index === pieces.length - 1 && ends > 0));
  if (ends === 0) said.push(data(id, Buffer.alloc(0)));
  return Buffer.concat([headersFrames(random, id, head, false), ...said]);
}

function dataFrame(random: Random, id: number, piece: Buffer, last: boolean): Buffer {
  const padding = random.below(6) === 0 && piece.length < 16_000 ? random.below(200) : undefined;
  if (padding === undefined) return data(id, piece, last ? 1 : 0);
  return data(id, Buffer.concat([Buffer.of(padding), piece, Buffer.alloc(padding)]), (last ? 1 : 0) | frames.PADDED);
}

function headersFrames(random: Random, id: number, head: Buffer, endStream: boolean): Buffer {
  const flags = endStream ? frames.END_STREAM : 0;
  if (random.below(4) > 0) return frame(frames.HEADERS, flags | frames.END_HEADERS, id, head);
  const at = random.below(head.length);
  return Buffer.concat([
    frame(frames.HEADERS, flags, id, head.subarray(0, at)),
    frame(frames.CONTINUATION, frames.END_HEADERS, id, head.subarray(at)),
  ]);
}

export const bytesOf = (random: Random, most: number): Buffer =>
  Buffer.from(Array.from({ length: random.below(most) }, () => random.below(256)));

/** One octet changed, left out, put in or doubled, or a piece cut off, moved or repeated; once or several times. */
export function mutated(random: Random, bytes: Buffer): Buffer {
  let result = bytes;
  for (let times = 1 + random.below(3); times > 0; times--) result = mutatedOnce(random, result);
  return result;
}

function mutatedOnce(random: Random, bytes: Buffer): Buffer {
  // After the preface, where there is more to break.
  const at = random.below(50) === 0 ? random.below(bytes.length) : 24 + random.below(Math.max(1, bytes.length - 24));
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  const piece = bytes.subarray(at, at + random.below(40));
  switch (random.below(7)) {
    case 0:
      return Buffer.concat([before, Buffer.of((after[0] ?? 0) ^ (1 << random.below(8))), after.subarray(1)]);
    case 1:
      return Buffer.concat([before, Buffer.of(random.below(256)), after.subarray(1)]);
    case 2:
      return Buffer.concat([before, bytesOf(random, 12), after]);
    case 3:
      return Buffer.concat([before, after.subarray(random.below(12))]);
    case 4:
      return Buffer.concat([before, piece, after]);
    case 5:
      return before;
    default:
      return Buffer.concat([before, after.subarray(piece.length), piece]);
  }
}

/** In random pieces. */
export function chunked(random: Random, bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  const most = random.pick([1, 9, 30, 500, 20_000]);
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random.below(most);
    chunks.push(Buffer.from(bytes.subarray(at, end)));
    at = end;
  }
  return chunks;
}
