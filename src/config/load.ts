/**
 * Configuration file → Settings, or every issue at once with line and column. In: the file's name, the environment, and
 * the parser of guardrails. Refuses unknown and repeated keys, words that are not yet supported, and whatever the rules
 * refuse. It reads no file but this one: those that it names are read, watched and judged by state/.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { PolicyIssue } from '../model/policy.js';
import type { Settings } from '../model/settings.js';
import { readDocument } from './document.js';
import type { Report } from './document.js';
import type { Env } from './interpolate.js';
import { checkFederation } from './rules/federation.js';
import { checkIdentity } from './rules/identity.js';
import { checkListen } from './rules/listen.js';
import { checkForwarders, checkPeer, checkTrust, checkWorkload } from './rules/origin.js';
import { checkGuardrailText, checkPolicySource } from './rules/policy.js';
import { placesOf } from './rules/rule.js';
import { checkSources } from './rules/sources.js';
import { checkTokens } from './rules/tokens.js';
import { settingsOf } from './settings.js';
import { readShape } from './shape.js';
import { readTree } from './tree.js';
import { oneLine } from './words.js';

export interface ConfigIssue {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly hint?: string;
}

export type LoadedConfig =
  { readonly ok: true; readonly settings: Settings } | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

export type CheckGuardrails = (text: string) => readonly PolicyIssue[];

/** Guardrails may have 64 KiB; nobody writes four times as much around them. */
const MAX_BYTES = 256 * 1024;

const RULES = [
  checkListen,
  checkIdentity,
  checkFederation,
  checkTrust,
  checkWorkload,
  checkPeer,
  checkForwarders,
  checkTokens,
  checkSources,
  checkPolicySource,
  checkGuardrailText,
];

export function loadConfig(file: string, env: Env, checkGuardrails: CheckGuardrails): LoadedConfig {
  return reported(file, (report) => {
    const text = readText(file, report);
    return text === undefined ? undefined : read(text, file, env, checkGuardrails, report);
  });
}

/** The same for a text that was read elsewhere; relative paths in it are relative to the folder of `file`. */
export function loadConfigText(text: string, file: string, env: Env, checkGuardrails: CheckGuardrails): LoadedConfig {
  return reported(file, (report) => read(text, file, env, checkGuardrails, report));
}

/** Collects what is wrong in a file, each in one line. */
export const reportInto =
  (issues: ConfigIssue[], file: string): Report =>
  ({ line, column }, message, hint) =>
    void issues.push({
      file,
      line,
      column,
      message: oneLine(message),
      ...(hint === undefined ? {} : { hint: oneLine(hint) }),
    });

function reported(file: string, load: (report: Report) => Settings | undefined): LoadedConfig {
  const issues: ConfigIssue[] = [];
  const settings = load(reportInto(issues, file));
  if (issues.length === 0 && settings !== undefined) return { ok: true, settings };
  return { ok: false, issues: inOrder(issues) };
}

/** `file:line:col: error: message (hint)` */
export function formatConfigIssue({ file, line, column, message, hint }: ConfigIssue): string {
  return `${file}:${line}:${column}: error: ${message}${hint === undefined ? '' : ` (${hint})`}`;
}

function read(
  text: string,
  file: string,
  env: Env,
  checkGuardrails: CheckGuardrails,
  report: Report,
): Settings | undefined {
  const source = readDocument(text, report);
  if (source === undefined) return undefined;
  const tree = readTree(source, env, report);
  const config = readShape(tree, report);
  if (config === undefined) return undefined;
  const folder = dirname(resolve(file));
  const places = placesOf(tree, folder, checkGuardrails, report);
  for (const rule of RULES) rule(config, places, env);
  return settingsOf(config, folder, env);
}

function readText(file: string, report: Report): string | undefined {
  const start = { line: 1, column: 1 };
  const bytes = readBytes(file);
  if (!('length' in bytes)) report(start, `expected a readable file, got ${bytes.problem}`);
  else if (bytes.length > MAX_BYTES) report(start, `expected at most ${MAX_BYTES} bytes, got ${bytes.length}`);
  else {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      report(start, 'expected UTF-8 text, got other bytes', 'save the file as UTF-8');
    }
  }
  return undefined;
}

/** The system's own code and words, without its stack. */
function readBytes(file: string): Uint8Array | { problem: string } {
  try {
    return readFileSync(file);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : 'an unknown fault' };
  }
}

const inOrder = (issues: readonly ConfigIssue[]): ConfigIssue[] =>
  [...issues].sort((a, b) => a.line - b.line || a.column - b.column);
