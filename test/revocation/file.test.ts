/** Orders as text, and the file that they are appended to. */
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { orderOf } from '../../src/cli/revoke.js';
import type { RevokeOptions } from '../../src/cli/revoke.js';
import { appendOrder } from '../../src/state/revocation/append.js';
import { followRevocations } from '../../src/state/revocation/file.js';
import { orderText, readOrder } from '../../src/state/revocation/order.js';
import { createRevocations } from '../../src/state/revocations.js';
import type { AppliedOrder } from '../../src/model/revocation.js';

const NOW = Date.UTC(2026, 10, 24);
const HEX = 'ab'.repeat(32);
const ID = 'spiffe://prod.example/ns/shop/sa/frontend';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fh-revocation-'));
  file = join(folder, 'revoked.ndjson');
});
afterEach(() => rmSync(folder, { recursive: true }));

const line = (kind: 'revoke' | 'unrevoke', value: string, minute = 0): string =>
  `${JSON.stringify({ at: new Date(NOW + minute * 60_000).toISOString(), [kind]: 'txn', value })}\n`;

function follow() {
  const index = createRevocations();
  const applied: AppliedOrder[] = [];
  const problems: string[] = [];
  const hooks = {
    onChange: (order: AppliedOrder) => void applied.push(order),
    onProblems: (found: readonly string[]) => void problems.push(...found),
  };
  const followed = followRevocations(file, index, hooks);
  const isRevoked = (value: string): boolean => index.until({ type: 'txn', value, issuer: undefined }) > NOW;
  return { ...followed, isRevoked, applied, problems };
}

describe('an order', () => {
  it.each([
    [{ revoke: 'token', value: HEX.toUpperCase() }, HEX],
    [{ revoke: 'certificate', value: HEX.replace(/..(?=.)/g, '$&:') }, HEX],
    [{ revoke: 'serial', value: '0xBEEF', issuer: 'CN=Root' }, 'beef'],
    [{ revoke: 'identity', value: ID }, ID],
    [{ revoke: 'identity', value: 'spiffe://prod.example/ns/*/sa/x' }, 'spiffe://prod.example/ns/*/sa/x'],
    [{ revoke: 'trust_domain', value: 'spiffe://Prod.example' }, 'prod.example'],
    [{ revoke: 'txn', value: 'Order 1' }, 'Order 1'],
  ])('%j names what is compared', (input, value) => {
    const read = readOrder({ at: '2026-11-24T00:00:00Z', ...input });
    expect(read.ok && read.value.revocation.value).toBe(value);
    if (read.ok) expect(readOrder(JSON.parse(orderText(read.value)))).toEqual(read);
  });

  it.each([
    [{ revoke: 'token', value: 'beef' }, '64 hexadecimal digits'],
    [{ revoke: 'serial', value: 'xyz', issuer: 'CN=Root' }, 'up to 40 hexadecimal digits'],
    [{ revoke: 'serial', value: 'beef' }, 'needs an issuer'],
    [{ revoke: 'identity', value: 'ns/shop/**' }, 'with its trust domain'],
    [{ revoke: 'identity', value: 'spiffe://prod.example' }, 'needs a path'],
    [{ revoke: 'trust_domain', value: 'a b' }, 'expected a trust domain'],
    [{ revoke: 'txn', unrevoke: 'txn', value: 'x' }, 'exactly one'],
    [{ revoke: 'txn', value: 'x', until: 'soon' }, 'are times'],
    [{ revoke: 'txn', value: 'x', untill: 'x' }, 'untill'],
    [null, 'the line'],
  ])('%j is refused: %s', (input, problem) => {
    const read = readOrder(input === null ? null : { at: '2026-11-24T00:00:00Z', ...input });
    expect(!read.ok && read.problem).toContain(problem);
  });
});

describe('the options of the command', () => {
  const from = (options: Partial<RevokeOptions>): unknown => {
    const order = orderOf({ kind: 'revoke', config: 'x', ...options }, NOW, 'me');
    return typeof order === 'string' ? order : { ...order.revocation };
  };
  it('name one thing, for a time or without end', () => {
    expect(from({ token: HEX, for: '1h' })).toMatchObject({ type: 'token', value: HEX, until: NOW + 3_600_000 });
    expect(from({ issuer: 'https://i' })).toMatchObject({ type: 'issuer', value: 'https://i', until: Infinity });
    expect(from({ subject: 's', issuer: 'https://i' })).toMatchObject({ type: 'subject', issuer: 'https://i' });
  });
  it.each<[Partial<RevokeOptions>, string]>([
    [{}, 'expected what to revoke'],
    [{ token: 'aaa.bbb.ccc' }, 'firsthand inspect token'],
    [{ jti: 'x' }, 'jti needs an issuer'],
    [{ txn: 'x', identity: ID }, '--identity and --txn'],
    [{ txn: 'x', issuer: 'https://i' }, 'needs none'],
    [{ txn: 'x', for: 'long' }, '--for: expected a duration'],
    [{ kind: 'unrevoke', txn: 'x', for: '1h' }, 'has no end'],
  ])('%j are refused: %s', (options, problem) => {
    expect(from(options)).toContain(problem);
  });
});

describe('the file', () => {
  it('that is not there is an empty one', async () => {
    const followed = follow();
    await followed.poll();
    expect([followed.problem(), followed.applied]).toEqual([undefined, []]);
    writeFileSync(file, line('revoke', 'x'));
    await followed.poll();
    expect([followed.isRevoked('x'), followed.isRevoked('y')]).toEqual([true, false]);
    expect(followed.applied.map(({ live }) => live)).toEqual([true]);
  });

  it('never has half of a line applied, and has all of it as soon as it is there', async () => {
    const followed = follow();
    const whole = line('revoke', 'long');
    for (let end = 1; end < whole.length - 1; end += 1) {
      writeFileSync(file, whole.slice(0, end));
      await followed.poll();
      expect(followed.isRevoked('long')).toBe(false);
    }
    // Without the end of the line: it is a whole object, and nothing that follows could make it another one.
    writeFileSync(file, whole.slice(0, -1));
    await followed.poll();
    expect(followed.isRevoked('long')).toBe(true);
    appendFileSync(file, `\n${line('unrevoke', 'long', 1)}`);
    await followed.poll();
    expect(followed.isRevoked('long')).toBe(false);
  });

  it('tells each bad line once, with its number, and passes it over', async () => {
    const followed = follow();
    writeFileSync(file, `${line('revoke', 'a')}{"half\n\n${'x'.repeat(100_000)}\n${line('revoke', 'b')}"unfinished`);
    for (let times = 0; times < 3; times += 1) await followed.poll();
    expect([followed.isRevoked('a'), followed.isRevoked('b')]).toEqual([true, true]);
    expect(followed.problems.map((problem) => problem.slice(0, 7))).toEqual(['line 2:', 'line 4:', 'line 6:']);
    expect(followed.problem()).toContain('line 2:');
  });

  it('that was replaced ends nothing by what is gone, and counts no line again', async () => {
    const followed = follow();
    writeFileSync(file, `${line('revoke', 'x')}${line('unrevoke', 'x', 1)}${line('revoke', 'x', 2)}`);
    await followed.poll();
    writeFileSync(`${file}.new`, line('unrevoke', 'x', 1));
    renameSync(`${file}.new`, file);
    await followed.poll();
    expect(followed.isRevoked('x')).toBe(true);
    appendFileSync(file, line('unrevoke', 'x', 3));
    await followed.poll();
    expect(followed.isRevoked('x')).toBe(false);
    // An editor writes a new file that begins with all of the old one: what it added counts, also where it is a copy.
    writeFileSync(`${file}.new`, `${readFileSync(file, 'utf8')}${line('revoke', 'x', 2)}`);
    renameSync(`${file}.new`, file);
    await followed.poll();
    expect(followed.isRevoked('x')).toBe(true);
  });

  it('is appended to in whole lines, also where the last one had no end', async () => {
    const followed = follow();
    const order = (value: string) => {
      const read = readOrder({ revoke: 'txn', value }, NOW);
      if (!read.ok) throw new Error(read.problem);
      return read.value;
    };
    await appendOrder(file, order('first'));
    expect(statSync(file).mode & 0o777).toBe(0o640);
    appendFileSync(file, line('revoke', 'second').trim());
    await Promise.all(['third', 'fourth', 'fifth'].map((value) => appendOrder(file, order(value))));
    await followed.poll();
    for (const value of ['first', 'second', 'third', 'fourth', 'fifth']) expect(followed.isRevoked(value)).toBe(true);
    expect(followed.problems).toEqual([]);
  });
});
