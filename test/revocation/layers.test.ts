/** The tables, against plain models; orders that arrive twice or in any order; a file that is followed again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSpiffeId } from '../../src/model/ids.js';
import type { SpiffeId } from '../../src/model/ids.js';
import { matchesId, parseIdPattern } from '../../src/model/patterns.js';
import { openRevocationDesk } from '../../src/revocation-desk.js';
import { createReading } from '../../src/state/redis/read-revocations.js';
import { createSeal } from '../../src/state/redis/seal.js';
import { nextStanding } from '../../src/state/redis/write-revocation.js';
import type { SharedStanding } from '../../src/state/redis/revocation-text.js';
import { digestOf } from '../../src/state/revocation/digest.js';
import { createLayer } from '../../src/state/revocation/layer.js';
import { patternFor, shapeOf } from '../../src/state/revocation/shapes.js';
import { createRevocationTable } from '../../src/state/revocation/table.js';
import type { Standing } from '../../src/state/revocation/table.js';
import { createRevocations } from '../../src/state/revocations.js';
import { subjectOrder } from './ends.js';

const NOW = Date.UTC(2026, 10, 24);
const nameOf = (value: string) => ({ type: 'txn', value, issuer: undefined }) as const;

describe('a table', () => {
  it('holds what a Map would, however it grows, and forgets only what ended', () => {
    const [table, model] = [createRevocationTable(), new Map<string, Standing>()];
    for (let count = 0; count < 20_000; count += 1) {
      const value = `txn ${(count * 7919) % 12_000}`;
      const kind = count % 5 === 0 ? 'unrevoke' : 'revoke';
      const ended = count % 3 === 0;
      const standing: Standing = { kind, until: ended ? NOW - 7_200_000 : NOW + count, order: count };
      table.put('txn', digestOf(nameOf(value)), standing, NOW);
      model.set(value, standing);
    }
    let forgotten = 0;
    for (const [value, standing] of model) {
      const found = table.find(digestOf(nameOf(value)));
      if (standing.until > NOW) expect(found).toEqual(standing);
      else if (found === undefined) forgotten += 1;
      else expect(found).toEqual(standing);
    }
    expect(forgotten).toBeGreaterThan(1000);
    const live = [...model.values()].filter(({ kind, until }) => kind === 'revoke' && until > NOW);
    expect(table.inForce(NOW).get('txn')).toBe(live.length);
    expect([...table.rows()].length).toBe(table.size('txn'));
  });
});

describe('a pattern', () => {
  it('is found by its shape for exactly those that it matches', () => {
    const word = fc.constantFrom('ns', 'shop', 'sa', 'x');
    const pattern = fc
      .tuple(fc.array(fc.oneof(word, fc.constant('*')), { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([words, rest]) => `spiffe://prod.example/${[...words, ...(rest ? ['**'] : [])].join('/')}`);
    const id = fc
      .array(word, { minLength: 1, maxLength: 5 })
      .map((words) => `spiffe://prod.example/${words.join('/')}`);
    let matches = 0;
    fc.assert(
      fc.property(pattern, id, (text, name) => {
        const parsed = parseIdPattern(text);
        const caller = parseSpiffeId(name) as SpiffeId;
        const shape = shapeOf(text);
        if (typeof parsed === 'string' || shape === undefined) return;
        const matched = matchesId(parsed, caller, undefined);
        if (matched) matches += 1;
        expect(patternFor(caller, shape) === text).toBe(matched);
      }),
      { numRuns: 3000, seed: 1 },
    );
    expect(matches).toBeGreaterThan(50);
  });
});

describe('standings of one store', () => {
  it('come out the same in whatever order, and however often, they arrive', () => {
    const chain: SharedStanding[] = [];
    for (const kind of ['revoke', 'unrevoke', 'revoke', 'unrevoke', 'revoke'] as const) {
      const order = subjectOrder(kind, 'alice', NOW + 60_000, NOW);
      chain.push(nextStanding(order, digestOf(order.revocation), chain.at(-1), NOW * 1000 + chain.length));
    }
    const arrivals = fc.array(fc.constantFrom(...chain), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(arrivals, (some) => {
        const layer = createLayer();
        const parts = { layer, seal: createSeal(Buffer.from('x')), now: () => NOW, onRevocation: () => undefined };
        const reading = createReading(parts);
        for (const standing of some) reading.adopt(standing, 'store', true);
        const last = some.reduce((a, b) => (b.order > a.order ? b : a));
        expect(layer.isLive(last.digest, NOW)).toBe(last.kind === 'revoke');
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});

describe('a file that another configuration names again', () => {
  it('has no unrevoke count a second time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fh-desk-'));
    try {
      const file = join(folder, 'revoked.ndjson');
      const at = new Date(NOW).toISOString();
      const lines = [
        { revoke: 'txn', value: 'x' },
        { unrevoke: 'txn', value: 'x' },
      ];
      writeFileSync(file, lines.map((line) => `${JSON.stringify({ at, ...line })}\n`).join(''));
      const revocations = createRevocations();
      const nothing = (): void => undefined;
      const desk = openRevocationDesk({
        ...{ revocations, store: { revocations: undefined }, log: { error: nothing }, now: () => NOW },
        ...{ onRevocation: nothing, onProblems: nothing, onFault: nothing },
      });
      const follow = (name: string | null) =>
        desk.follow({ revocation: { file: name, maxStaleness: 1, onIncident: null } });
      await follow(file);
      expect(revocations.until(nameOf('x'))).toBe(-Infinity);
      revocations.revoke({ ...nameOf('x'), until: Infinity });
      for (const name of [null, file, join(folder, 'other'), file]) await follow(name);
      expect(revocations.until(nameOf('x'))).toBe(Infinity);
      desk.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
