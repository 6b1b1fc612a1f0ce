import { LineCounter, Parser, Composer } from 'yaml';
import type { Document } from 'yaml';
import { isDeeperThan, positionsOf } from '../config/document.js';
import { oneLine } from '../config/words.js';
import { START, remark } from './finding.js';
import type { Remark } from './finding.js';
import type { YamlFile } from './yaml-places.js';

/**
 * YAML of any kind → its documents, and every syntax error with its place. It knows nothing of Kubernetes. Refuses nesting
 * that no manifest needs, before it recurses. It does NOT look for keys that come twice: pods.ts does.
 */
export type YamlDocument = Document.Parsed;

export interface YamlReading extends YamlFile {
  readonly documents: readonly YamlDocument[];
  readonly remarks: readonly Remark[];
}

/** The schema of a pod needs about 15, definitions of custom resources more. */
const MAX_DEPTH = 100;

export function readYaml(text: string): YamlReading {
  const counter = new LineCounter();
  const tokens = [...new Parser(counter.addNewLine).parse(text)];
  const position = positionsOf(counter, text);
  if (isDeeperThan(MAX_DEPTH, tokens)) {
    const message = `expected at most ${MAX_DEPTH} levels of nesting, got more`;
    return { text, position, documents: [], remarks: [remark(START, 'error', 'yaml', message)] };
  }
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false, resolveKnownTags: false, merge: true });
  const documents: YamlDocument[] = [...composer.compose(tokens, true, text.length)];
  const remarks = documents.flatMap(({ errors }) =>
    // Past the first error the rest of a document is out of step.
    errors.slice(0, 1).map((error) => {
      const message = `not valid YAML: ${oneLine(error.message)}`;
      return remark(position(error.pos[0]), 'error', 'yaml', message, hintFor(text));
    }),
  );
  return { text, position, documents, remarks };
}

const hintFor = (text: string): string | undefined =>
  text.includes('{{') ? 'render the chart first: helm template . | firsthand lint -' : undefined;
