/** Floods over a real socket: they end, memory stays bounded, and another connection is answered all the while. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as frames from '../../../src/wire/lean/frame.js';
import { frame, PREFACE, settings } from '../../../src/wire/lean/frame.js';
import { startLeanListener } from '../../../src/wire/lean/listener.js';
import { MAX_CONNECTIONS } from '../../../src/wire/lean/limits.js';
import type { Listener } from '../../../src/wire/listener.js';
import { connectTo } from '../client.js';
import type { TestClient } from '../client.js';
import { block } from './hpack.js';
import { check, CHECK_HEADERS, ping, reset, windowUpdate } from './wire.js';

const ANSWER = Buffer.alloc(2_000, 1);
const MEBIBYTE = 1_048_576;

let folder: string;
let listener: Listener;
let other: TestClient;
const sockets: Socket[] = [];
const logged: string[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fh-'));
  listener = await startLeanListener({
    address: { kind: 'unix', path: join(folder, 's') },
    socketMode: 0o600,
    reflection: false,
    handle: () => ANSWER,
    log: (message) => logged.push(message),
  });
  other = connectTo(listener.address);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  other.close();
  await listener.close(100);
  rmSync(folder, { recursive: true });
});

/** A peer that says hello; `reads: false` never takes a byte. */
async function peer(reads: boolean): Promise<Socket> {
  const socket = connect(join(folder, 's'));
  sockets.push(socket);
  socket.on('error', () => {});
  socket.setMaxListeners(0);
  if (reads) socket.resume();
  await once(socket, 'connect');
  socket.write(Buffer.concat([PREFACE, settings([4, 0x7fff_ffff]), windowUpdate(0, 0x7fff_0000)]));
  return socket;
}

/** Sends chunk after chunk, as fast as the other side takes them; false: it stopped taking them. */
async function pour(socket: Socket, chunks: Iterable<Buffer>, patience = 300): Promise<boolean> {
  for (const chunk of chunks) {
    if (socket.destroyed || socket.writableEnded) return true;
    if (socket.write(chunk)) continue;
    const drained = new Promise<boolean>((resolve) =>
      ['drain', 'close'].map((event) => socket.once(event, () => resolve(true))),
    );
    const gaveUp = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), patience));
    if (!(await Promise.race([drained, gaveUp]))) return false;
  }
  return true;
}

function* times(count: number, one: (index: number) => Buffer): Generator<Buffer> {
  for (let index = 0; index < count; index += 100)
    yield Buffer.concat(Array.from({ length: 100 }, (_, offset) => one(index + offset)));
}

const BLOCK = block(...CHECK_HEADERS);

test.each<[string, (index: number) => Buffer]>([
  ['PING', () => ping()],
  ['SETTINGS', () => settings()],
  ['rapid reset', (index) => Buffer.concat([frame(1, 4, 2 * index + 1, BLOCK), reset(2 * index + 1)])],
  [
    'CONTINUATION',
    (index) => (index === 0 ? frame(1, 0, 1, BLOCK) : frame(frames.CONTINUATION, 0, 1, Buffer.alloc(5))),
  ],
  ['unknown frames', () => frame(0xee, 0, 0, Buffer.alloc(9))],
])('%s: the connection ends, and the other one does not notice', async (_, one) => {
  const socket = await peer(true);
  await other.check(Buffer.alloc(9));
  const before = process.memoryUsage().arrayBuffers;
  await pour(socket, times(60_000, one));
  expect((await other.check(Buffer.alloc(9))).equals(ANSWER)).toBe(true);
  await expect.poll(() => socket.destroyed, { timeout: 5_000 }).toBe(true);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MEBIBYTE);
});

test('a reader that never reads: is not read either, and costs a bounded memory', async () => {
  const socket = await peer(false);
  await other.check(Buffer.alloc(9));
  const before = process.memoryUsage().arrayBuffers;
  const taken = await pour(
    socket,
    times(60_000, (index) => check(2 * index + 1)),
  );
  expect(taken).toBe(false);
  expect((await other.check(Buffer.alloc(9))).equals(ANSWER)).toBe(true);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MEBIBYTE);
});

test('a reader that reads gets every answer', async () => {
  const socket = await peer(true);
  let octets = 0;
  socket.on('data', (chunk: Buffer) => (octets += chunk.length));
  expect(
    await pour(
      socket,
      times(20_000, (index) => check(2 * index + 1)),
      5_000,
    ),
  ).toBe(true);
  await expect.poll(() => octets, { timeout: 5_000 }).toBeGreaterThan(20_000 * ANSWER.length);
  expect(socket.destroyed).toBe(false);
});

test('too many connections: those beyond the bound are closed, those that are there go on', async () => {
  await other.check(Buffer.alloc(9));
  await Promise.all(Array.from({ length: MAX_CONNECTIONS - 1 }, () => peer(true)));
  const late = await peer(true);
  await expect.poll(() => late.destroyed).toBe(true);
  expect((await other.check(Buffer.alloc(9))).equals(ANSWER)).toBe(true);
  expect(sockets.filter(({ destroyed }) => destroyed)).toEqual([late]);
  await expect.poll(() => logged, { timeout: 3_000 }).toContain('connections were refused: too many are open');
});
