/** In: the text of a source file. Out: its mutants, in the order of the text; the same for the same text. */
import ts from 'typescript';
import { replacementsAt } from './operators.js';

export interface Mutant {
  /** From the project's root. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly operator: string;
  /** What was there, and what stands there instead. */
  readonly was: string;
  readonly is: string;
  /** The trimmed source line. */
  readonly source: string;
  /** The whole file with the mistake in it. */
  readonly text: string;
}

export function mutantsOf(file: string, text: string): readonly Mutant[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS);
  const lines = text.split('\n');
  const mutants = new Map<string, Mutant>();
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    for (const { operator, from, to, text: is } of replacementsAt(node, source)) {
      const place = source.getLineAndCharacterOfPosition(from);
      const mutated = text.slice(0, from) + is + text.slice(to);
      if (mutants.has(mutated)) continue;
      mutants.set(mutated, {
        file,
        line: place.line + 1,
        column: place.character + 1,
        operator,
        was: text.slice(from, to),
        is,
        source: lines[place.line]?.trim() ?? '',
        text: mutated,
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return [...mutants.values()];
}
