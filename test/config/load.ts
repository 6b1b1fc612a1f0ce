/** Loads a configuration given as text. A `▸` in it marks where an issue is expected, and is taken out before. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.js';
import type { ConfigIssue, LoadedConfig } from '../../src/config/load.js';
import type { PolicyIssue } from '../../src/model/policy.js';
import type { Settings } from '../../src/model/settings.js';

export const SMALLEST = `trust:
  prod.example: { bundle: prod.example.pem }
tokens:
  - { issuer: https://idp.prod.example, keys: idp.jwks.json, audiences: [orders] }
policy:
  annotations: /etc/podinfo/annotations
`;

/** What every configuration needs, without tokens. */
export const BASE = `trust: { prod.example: { bundle: prod.example.pem } }
policy: { annotations: /etc/podinfo/annotations }
`;

export type Env = Readonly<Record<string, string | undefined>>;

export function load(
  text: string | Uint8Array,
  env: Env = {},
  checkGuardrails: (text: string) => readonly PolicyIssue[] = () => [],
): LoadedConfig & { readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'firsthand-config-'));
  try {
    const file = join(folder, 'firsthand.yaml');
    writeFileSync(file, text);
    return { ...loadConfig(file, env, checkGuardrails), folder };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function settingsFrom(text: string, env: Env = {}): Settings {
  const loaded = load(text, env);
  if (!loaded.ok) throw new Error(shownIssues(loaded.issues).join('\n'));
  return loaded.settings;
}

export function issuesFrom(text: string, env: Env = {}): readonly ConfigIssue[] {
  const loaded = load(text, env);
  return loaded.ok ? [] : loaded.issues;
}

export const shownIssues = (issues: readonly ConfigIssue[]): string[] =>
  issues.map(
    ({ line, column, message, hint }) => `${line}:${column} ${message}${hint === undefined ? '' : ` (${hint})`}`,
  );

const MARK = '▸';

/** The text without its marks, and where they stood. */
export function unmark(marked: string): { text: string; places: string[] } {
  const places = marked.split('\n').flatMap((line, index) =>
    line
      .split(MARK)
      .slice(0, -1)
      .map((_, part, parts) => `${index + 1}:${parts.slice(0, part + 1).join('').length + 1}`),
  );
  return { text: marked.replaceAll(MARK, ''), places };
}

export function markedIssues(marked: string, env: Env = {}): { expected: string[]; got: string[]; messages: string[] } {
  const { text, places } = unmark(marked);
  const issues = issuesFrom(text, env);
  return {
    expected: places,
    got: issues.map(({ line, column }) => `${line}:${column}`),
    messages: shownIssues(issues).map((shown) => shown.replace(/^\S+ /, '')),
  };
}
