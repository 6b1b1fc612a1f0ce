/**
 * Random conversations, right and wrong. However they are cut into chunks, the same is said; nothing fails that is not
 * an error of HTTP/2; and an OK is always one that the handler gave. FUZZ=1000 plays a thousand times as many.
 */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { seeded } from '../../helpers/random.js';
import type { Random } from '../../helpers/random.js';
import { bytesOf, chunked, conversation, mutated } from './conversation.js';
import { openWire, outcomes } from './wire.js';
import type { Wire } from './wire.js';

const TIMES = Number(process.env['FUZZ'] ?? 1);
const HEALTHY = 'OK:0801';

const counts = { conversations: 0, mutations: 0, noise: 0, splits: 0, answers: 0, connectionErrors: 0, octets: 0 };

/** The same answer for the same request, and no other's: an OK can be told from one that nobody gave. */
function play(chunks: readonly Buffer[]): Wire {
  const given = new Set<string>();
  const wire = openWire({
    now: () => 1_000_000,
    handle: (bytes) => {
      const answer = createHash('sha256').update(bytes).digest().subarray(0, 9);
      given.add(`OK:${answer.toString('hex')}`);
      return answer;
    },
  });
  for (const chunk of chunks) wire.send(chunk);
  expect(wire.logged).toEqual([]);
  for (const [id, outcome] of outcomes(wire.said())) {
    const ok = outcome.split(' ').filter((part) => part.startsWith('OK'));
    if (id === 0) counts.connectionErrors++;
    counts.answers += ok.length;
    expect(ok.length).toBeLessThanOrEqual(1);
    for (const part of ok) if (part !== HEALTHY) expect(given).toContain(part);
  }
  counts.octets += chunks.reduce((sum, { length }) => sum + length, 0);
  return wire;
}

function sameHoweverCut(random: Random, bytes: Buffer): void {
  const whole = play([bytes]).bytes();
  counts.splits++;
  expect(play(chunked(random, bytes)).bytes().equals(whole), 'cut into chunks').toBe(true);
}

test('cut at every octet', () => {
  const random = seeded(11);
  for (let round = 0; round < TIMES; round++) {
    const bytes = Buffer.concat(conversation(random, 10)).subarray(0, 1_500);
    const whole = play([bytes]).bytes();
    for (let at = 1; at < bytes.length; at++, counts.splits++)
      expect(
        play([bytes.subarray(0, at), Buffer.from(bytes.subarray(at))])
          .bytes()
          .equals(whole),
        `cut at ${at}`,
      ).toBe(true);
    const single = Array.from(bytes, (octet) => Buffer.of(octet));
    expect(play(single).bytes().equals(whole), 'octet by octet').toBe(true);
  }
});

test('right conversations, in random chunks: no error of the connection, and answers', () => {
  const random = seeded(12);
  for (let round = 0; round < 60 * TIMES; round++, counts.conversations++) {
    const bytes = Buffer.concat(conversation(random, 1 + random.below(40)));
    const errors = counts.connectionErrors;
    sameHoweverCut(random, bytes);
    expect(counts.connectionErrors).toBe(errors);
  }
});

test('wrong conversations', () => {
  const random = seeded(13);
  for (let round = 0; round < 40 * TIMES; round++) {
    const bytes = Buffer.concat(conversation(random, 1 + random.below(15))).subarray(0, 20_000);
    for (let index = 0; index < 40; index++, counts.mutations++) sameHoweverCut(random, mutated(random, bytes));
  }
});

test('noise', () => {
  const random = seeded(14);
  const [preface, settings] = conversation(random, 0) as [Buffer, Buffer];
  for (let round = 0; round < 1_000 * TIMES; round++, counts.noise++) {
    sameHoweverCut(random, Buffer.concat([preface, settings, bytesOf(random, 300)]));
    sameHoweverCut(random, bytesOf(random, 60));
  }
  console.log('fuzz', counts);
  expect(counts.answers).toBeGreaterThan(5_000);
  expect(counts.connectionErrors).toBeGreaterThan(1_000);
});
