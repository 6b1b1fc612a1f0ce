/**
 * YAML text → one document without syntax errors, or every syntax error with its position. Refuses more than one
 * document, YAML 1.1, unknown tags, and nesting that no configuration needs. It does not look for duplicate keys:
 * tree.ts does, after the environment has been put in.
 */
import { Composer, LineCounter, Parser } from 'yaml';
import type { CST, Document, ParsedNode, YAMLParseError, YAMLWarning } from 'yaml';
import type { Position } from './node.js';
import { oneLine } from './words.js';

export type Report = (at: Position, message: string, hint?: string) => void;

export interface Source {
  readonly text: string;
  readonly contents: ParsedNode | null;
  readonly document: Document.Parsed;
  readonly position: (offset: number) => Position;
}

/** The schema needs 5; the composer recurses, so the bound stands before it. */
const MAX_DEPTH = 32;

export function readDocument(text: string, report: Report): Source | undefined {
  const counter = new LineCounter();
  const tokens = [...new Parser(counter.addNewLine).parse(text)];
  const position = positionsOf(counter, text);
  if (isDeeperThan(MAX_DEPTH, tokens)) {
    report({ line: 1, column: 1 }, `expected at most ${MAX_DEPTH} levels of nesting`);
    return undefined;
  }
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false, stringKeys: true, resolveKnownTags: false });
  const [document, second] = [...composer.compose(tokens, true, text.length)];
  if (document === undefined) return undefined;
  if (second !== undefined)
    report(
      position(second.range[0]),
      'expected one YAML document, got another one',
      'remove the line "---" and what follows',
    );
  for (const problem of syntaxProblems(document))
    report(position(problem.pos[0]), `not valid YAML: ${oneLine(problem.message)}`, syntaxHint(text, problem.pos[0]));
  if (document.directives.yaml.version !== '1.2')
    report({ line: 1, column: 1 }, `expected YAML 1.2, got a %YAML ${document.directives.yaml.version} directive`);
  if (second !== undefined || document.errors.length + document.warnings.length > 0) return undefined;
  return { text, contents: document.contents, document, position };
}

/** Past the first error the rest of the text is out of step: unexpected tokens there are its echo, not mistakes. */
function syntaxProblems(document: Document.Parsed): (YAMLParseError | YAMLWarning)[] {
  const errors = document.errors.filter((problem, index) => index === 0 || problem.code !== 'UNEXPECTED_TOKEN');
  return [...errors, ...document.warnings].slice(0, 20);
}

/** Within `{ }` and `[ ]` an unquoted `${` is the end of a value and the beginning of a mapping. */
const syntaxHint = (text: string, offset: number): string | undefined =>
  text.slice(offset - 1, offset + 1) === '${' ? 'within { } and [ ] write "${NAME}", in quotes' : undefined;

export function positionsOf(counter: LineCounter, text: string): (offset: number) => Position {
  return (offset) => {
    const { line, col } = counter.linePos(Math.max(0, Math.min(offset, text.length)));
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
}

/** Without recursion, because a hostile depth is what it is for. */
export function isDeeperThan(limit: number, tokens: readonly CST.Token[]): boolean {
  let level: readonly CST.Token[] = tokens;
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) return true;
    level = level.flatMap(childrenOf);
  }
  return false;
}

function childrenOf(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value];
  if (!('items' in token)) return [];
  return token.items.flatMap((item) => [item.key, item.value].filter((child) => child !== undefined && child !== null));
}
