import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readPath } from '../../src/model/path.js';
import { REASONS } from '../../src/model/reasons.js';
import { compilePolicy } from '../../src/policy/compile.js';
import type { Compiled } from '../../src/policy/compile.js';

const card = readFileSync(new URL('../../docs/reference-card.md', import.meta.url), 'utf8');

const compile = (text: string): Compiled =>
  compilePolicy({ kind: 'scopes', text }, { guardrails: '', ownersMay: ['workload', 'anyone'] });

const rows = (heading: string): string[][] =>
  (card.split(heading)[1] ?? '')
    .split(/\n\n\*\*/)[0]!
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('|---'))
    .slice(1)
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

const quoted = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);

describe('the reference card', () => {
  it('fits on one page', () => {
    expect(card.split('\n').length).toBeLessThan(95);
  });

  it('shows lines that compile together', () => {
    const [, block = ''] = /```\n([^`]+)```/.exec(card) ?? [];
    const compiled = compile(block);
    expect(compiled.ok ? [] : compiled.issues).toEqual([]);
    expect(block.trim().split('\n').length).toBe(9);
  });

  it('is right about which line wins, and about what is refused', () => {
    const cases = rows('**Which line wins.**');
    expect(cases.length).toBe(6);
    for (const [lines = '', request = '', winner = ''] of cases) {
      const compiled = compile(quoted(lines).join('\n'));
      if (winner.startsWith('refused')) {
        expect(compiled.ok ? 'accepted' : compiled.issues.map(({ code }) => code), lines).toEqual(['overlap']);
        continue;
      }
      const [method = '', path = ''] = quoted(request)[0]!.split(' ');
      const read = readPath(path);
      if (!compiled.ok || !read.ok) throw new Error(lines);
      expect(compiled.policy.route(method, read.segments).line?.number, lines).toBe(2);
    }
  });

  it('names no reason that the guard does not give', () => {
    const named = [...rows('**Why was it refused?**').flatMap(([cell = '']) => quoted(cell))];
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((reason) => !Object.hasOwn(REASONS, reason))).toEqual([]);
  });
});
