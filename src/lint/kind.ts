import { Config } from '../config/schema.js';

/**
 * What a file is, by its content. In: its text. Out: its kind, or undefined where nothing tells. What it takes for one kind
 * is then read strictly as that kind, so that a guess never hides a mistake.
 */
export const KINDS = ['config', 'annotations', 'scopes', 'manifest'] as const;
export type Kind = (typeof KINDS)[number];

export function kindOf(text: string): Kind | undefined {
  const first = text.split('\n').find((line) => !/^\s*(#.*)?\r?$/.test(line));
  if (first === undefined) return 'scopes';
  if (/^\s*([\w.-]+=|[\w.-]+\/[\w.-]*\s*=)/.test(first)) return 'annotations';
  if (!looksLikeYaml(first)) return 'scopes';
  if (MANIFEST.test(text)) return 'manifest';
  if (hasKeyOfConfig(text)) return 'config';
  // What a chart renders when everything is switched off.
  return /^(\s*(#.*)?|---.*|\.\.\.)$/m.test(text) && onlySeparators(text) ? 'manifest' : undefined;
}

/** A mapping, a list, a flow collection, a directive or a separator. Scope lines begin with a word in capitals, and no colon. */
const looksLikeYaml = (line: string): boolean =>
  /^\s*(---|%YAML|[{[]|- |-$)/.test(line) || /^\s*(?![A-Z,]+:)["']?[\w./-]+["']?\s*:(\s|$)/.test(line);

const MANIFEST =
  /^[ \t{,-]*["']?(apiVersion|firsthand\.dev\/[\w.-]*)["']?\s*:|"apiVersion"\s*:|\bfirsthand\.dev\/\w+["']?\s*:/m;

const KEYS = new Set(Object.keys(Config.shape));

/** Unindented, or the keys of a JSON object. */
const hasKeyOfConfig = (text: string): boolean =>
  [...text.matchAll(/(?:^|[{,]\s*)["']?([A-Za-z]+)["']?\s*:/gm)].some(([, key = '']) => KEYS.has(key));

const onlySeparators = (text: string): boolean =>
  text.split('\n').every((line) => /^\s*(#.*|---.*|\.\.\.)?\r?$/.test(line));
