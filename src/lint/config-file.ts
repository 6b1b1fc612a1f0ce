import { readDocument } from '../config/document.js';
import type { Env } from '../config/interpolate.js';
import { loadConfigText } from '../config/load.js';
import type { ConfigIssue } from '../config/load.js';
import { find } from '../config/node.js';
import type { Node, Path, Tree } from '../config/node.js';
import { readTree } from '../config/tree.js';
import type { Settings } from '../model/settings.js';
import { checkGuardrails } from '../policy/compile.js';
import { parseLines } from '../policy/grammar.js';
import { checkGuardrailLines } from './declared.js';
import { START, remark } from './finding.js';
import type { Finding, Remark } from './finding.js';
import { meet } from './id-patterns.js';
import { domainRemark, unknownDomain } from './analyses/domains.js';
import { operatorOf } from './sheet.js';
import type { Item, Operator } from './sheet.js';

/**
 * A configuration: what the loader says, and, where it can be loaded, what can never work in it. In: its text, and the
 * environment that completes it. Out: findings, and what the other files are checked against. It reads no file that the
 * configuration names.
 */
export interface ConfigReading {
  readonly findings: readonly Finding[];
  /** Undefined where the guard would not start with it. */
  readonly operator: Operator | undefined;
}

export function readConfigFile(file: string, text: string, env: Env): ConfigReading {
  const loaded = loadConfigText(text, file, env, checkGuardrails);
  if (!loaded.ok)
    return { findings: loaded.issues.map((issue) => ({ file, ...configRemark(issue) })), operator: undefined };
  const { settings } = loaded;
  const operator = operatorOf(settings, parseLines(settings.policy.guardrails, { rights: 'all' }).lines);
  const tree = treeOf(text, env);
  if (tree === undefined) return { findings: [], operator };
  const remarks = [
    ...warningRemarks(tree, settings),
    ...forwarderRemarks(tree, settings),
    ...issuerRemarks(tree, settings),
  ];
  return {
    findings: [...remarks.map((each) => ({ file, ...each })), ...guardrailFindings(file, tree, operator)],
    operator,
  };
}

const configRemark = ({ line, column, message, hint }: ConfigIssue): Remark =>
  remark({ line, column }, 'error', 'config', message, hint);

/** The same tree that the loader read; it had nothing to report. */
function treeOf(text: string, env: Env): Tree | undefined {
  const source = readDocument(text, () => undefined);
  return source === undefined ? undefined : readTree(source, env, () => undefined);
}

const nodeAt = (tree: Tree, path: Path): Node => find(tree, path).node;

function itemAt(tree: Tree, path: Path): Item {
  const node = nodeAt(tree, path);
  return { ...node.at, text: node.kind === 'scalar' ? String(node.value) : '' };
}

/** What the guard says at its start; but not that memory forgets, which is true of every configuration yet. */
const WARNED: readonly (readonly [string, Path])[] = [
  ['listen.plaintext', ['listen', 'plaintext']],
  ['peer_not_verified', ['origin', 'peer']],
  ['policy.mode', ['policy', 'mode']],
];

const warningRemarks = (tree: Tree, { warnings }: Settings): Remark[] =>
  WARNED.flatMap(([start, path]) =>
    warnings
      .filter((warning) => warning.startsWith(start))
      .map((warning) => remark(nodeAt(tree, path).at, 'info', 'config', warning)),
  );

function forwarderRemarks(tree: Tree, settings: Settings): Remark[] {
  const forwarders = [...settings.origin.forwarders.values()];
  const ignored =
    settings.origin.xfcc === 'ignore' && forwarders.length > 0
      ? [remark(nodeAt(tree, ['origin', 'xfcc']).at, 'warning', 'forwarder_unmatched', IGNORED, IGNORED_HINT)]
      : [];
  const each = forwarders.flatMap((forwarder, index) => {
    const path = ['origin', 'forwarders', index];
    return [
      ...domainRemark(itemAt(tree, [...path, 'id']), settings),
      ...forwarder.origins.flatMap((_, at) => domainRemark(itemAt(tree, [...path, 'origins', at]), settings)),
      ...[...forwarder.behind].flatMap((id, at) => neverBehind(tree, settings, index, id, at)),
    ];
  });
  return [...ignored, ...each];
}

const IGNORED =
  'with xfcc: ignore no forwarded element is read: forwarders never speak for anyone, and all they send is outside';
const IGNORED_HINT = 'write the mode of the listener in front, for example append-forward, or list no forwarders';

/** The origin must be in `origins` of every forwarder of the chain. */
function neverBehind(tree: Tree, { origin }: Settings, index: number, id: string, at: number): Remark[] {
  const forwarders = [...origin.forwarders.values()];
  const [front, back] = [forwarders[index], forwarders.find((other) => other.id === id)];
  if (front === undefined || back === undefined) return [];
  if (front.origins.some((a) => back.origins.some((b) => meet(a, b)))) return [];
  const message = `${id} can never stand behind ${front.id}: no origin is in the origins of both`;
  const place = nodeAt(tree, ['origin', 'forwarders', index, 'behind', at]).at;
  return [
    remark(place, 'warning', 'forwarder_unmatched', message, 'add the origins to both, or take it out of behind'),
  ];
}

const issuerRemarks = (tree: Tree, settings: Settings): Remark[] =>
  settings.tokens.flatMap(({ presenters, domains }, index) => [
    ...presenters.flatMap((_, at) => domainRemark(itemAt(tree, ['tokens', index, 'presenters', at]), settings)),
    ...(domains ?? []).flatMap((name, at) =>
      unknownDomain(itemAt(tree, ['tokens', index, 'domains', at]), name, settings),
    ),
  ]);

function guardrailFindings(file: string, tree: Tree, operator: Operator): readonly Finding[] {
  const { node, exact } = find(tree, ['policy', 'guardrails']);
  const places = exact && node.kind === 'scalar' ? node.inside : () => START;
  const text = operator.settings.policy.guardrails;
  return checkGuardrailLines({ file, text, places, data: null, name: 'policy.guardrails' }, operator);
}
