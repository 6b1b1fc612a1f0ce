/** The effective configuration as YAML: each value on a line of its own, with where it came from as a comment. */
import { Document, isScalar, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { Node } from 'yaml';
import type { Effective } from './effective.js';
import { oneLine } from './words.js';

/** `head`: comment lines above everything. */
export function effectiveYaml(config: Effective, head: readonly string[]): string {
  const document = new Document();
  document.contents = nodeOf(document, config);
  document.commentBefore = head.map((line) => ` ${oneLine(line)}`).join('\n');
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function nodeOf(document: Document, effective: Effective): Node {
  switch (effective.kind) {
    case 'map': {
      const map = new YAMLMap();
      for (const [key, value] of effective.entries)
        map.add(new Pair(document.createNode(key), nodeOf(document, value)));
      return map;
    }
    case 'list': {
      const list = new YAMLSeq();
      for (const item of effective.items) list.add(nodeOf(document, item));
      return list;
    }
    case 'value':
      return valueNode(document, effective.value, effective.from);
  }
}

function valueNode(document: Document, value: unknown, from: string): Node {
  const node = document.createNode(value, { flow: true }) as Node;
  // Scope lines read best as they were written.
  if (isScalar(node) && typeof value === 'string' && value.includes('\n')) node.type = Scalar.BLOCK_LITERAL;
  node.comment = ` ${oneLine(from)}`;
  return node;
}
