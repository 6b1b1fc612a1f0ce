import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lint } from '../../../src/lint/lint.js';
import type { Input } from '../../../src/lint/lint.js';
import { TABLE } from './table.js';

const FOLDER = new URL('./', import.meta.url);
const inputOf = (file: string): Input => ({ file, bytes: readFileSync(new URL(file, FOLDER)) });

function findingsIn(name: string): string[] {
  const inputs = [inputOf(`${name}.txt`)];
  const config = name.startsWith('policies/') ? inputOf('operator.txt') : undefined;
  const found = lint({ inputs, as: undefined, config, openapi: [], descriptors: [], env: {} });
  expect(new Set(found.map(({ file }) => file))).toEqual(new Set([`${name}.txt`]));
  return found.map(({ line, column, code }) => `${line}:${column} ${code}`);
}

describe('broken files', () => {
  it.each(TABLE)('%s is reported at its exact place', (name, findings) => {
    expect(findingsIn(name)).toEqual(findings);
  });

  it('are many, and all of them in the table', () => {
    const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.txt'));
    const names = files.map((file) => file.replace(/\.txt$/, '')).filter((name) => name !== 'operator');
    expect(names.sort()).toEqual(TABLE.map(([name]) => name).sort());
    expect(TABLE.length).toBeGreaterThanOrEqual(60);
  });

  it('are never silently accepted', () => {
    for (const [name, findings] of TABLE) expect(findings.length, name).toBeGreaterThan(0);
  });
});
