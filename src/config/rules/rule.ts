import type { PolicyIssue } from '../../model/policy.js';
import type { Path, Tree } from '../node.js';
import { find, isTouched } from '../node.js';
import type { Report } from '../document.js';
import { placeName } from '../words.js';

/**
 * What a rule about several keys sees besides the values: places. A rule is silent where a value that it depends on was
 * set aside: it would report a mistake that nobody made.
 */
export interface Places {
  readonly tree: Tree;
  /** The folder of the configuration file, absolute. */
  readonly folder: string;
  readonly checkGuardrails: (text: string) => readonly PolicyIssue[];
  /** At the value of a path; where the key is not written, at the nearest one around it. */
  readonly report: (path: Path, message: string, hint?: string) => void;
  readonly reportKey: (path: Path, message: string, hint?: string) => void;
  readonly reportAt: Report;
  readonly isTouched: (...paths: Path[]) => boolean;
}

export function placesOf(
  tree: Tree,
  folder: string,
  checkGuardrails: Places['checkGuardrails'],
  report: Report,
): Places {
  const say = (path: Path, key: boolean, message: string, hint?: string): void => {
    const { node, exact } = find(tree, path);
    // Below a scalar there are no keys: one address where a list of them could stand.
    if (exact || node.kind === 'scalar')
      report(key ? (node.keyAt ?? node.at) : node.at, `${node.name}: ${message}`, hint);
    else report(node.keyAt ?? node.at, `${placeName(node.name, String(path.at(-1)))}: ${message}`, hint);
  };
  return {
    tree,
    folder,
    checkGuardrails,
    report: (path, message, hint) => say(path, false, message, hint),
    reportKey: (path, message, hint) => say(path, true, message, hint),
    reportAt: report,
    isTouched: (...paths) => paths.some((path) => isTouched(tree, path)),
  };
}
