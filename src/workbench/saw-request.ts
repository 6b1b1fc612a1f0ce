/** What step 1 saw: the request as it is read, and the lines that it belongs to. Shows neither queries nor header values. */
import { recordedHost, recordedPath } from '../audit/request-facts.js';
import type { Line } from '../model/policy.js';
import type { Scene } from './scene.js';
import { shown, shownList } from './shown.js';

export function sawRequest(scene: Scene): string[] {
  const { attributes, shape, outcome, context } = scene;
  if (attributes === undefined) return ['no CheckRequest could be read'];
  const { method, path, host } = attributes;
  const target = recordedPath(path, undefined, 'raw') ?? '(a target that is no path)';
  const facts = [`${shown(method, 40)} ${shown(target)} at ${shown(recordedHost(host))}`];
  if (shape === undefined) return facts;
  const segments =
    shape.segments.length === 0
      ? 'none'
      : shownList(
          shape.segments.map((text) => JSON.stringify(text)),
          16,
        );
  facts.push(`path segments: ${segments}`);
  if (shape.upgrade) facts.push('asks for another protocol on this connection (upgrade)');
  if (context.policy === undefined) return [...facts, 'no valid policy is loaded'];
  return [...facts, ...sawLines(scene, outcome.findings.route?.line, outcome.findings.route?.guardrails)];
}

function sawLines({ outcome, context }: Scene, line: Line | undefined, guardrails: readonly Line[] = []): string[] {
  if (outcome.findings.route === undefined) return [];
  const own = line === undefined ? 'no line declares it' : `line ${line.number}: ${lineText(context.lines, line)}`;
  const rails = guardrails.map((rail) => `guardrail ${rail.number}: ${lineText(context.guardrails, rail)}`);
  return [own, ...rails];
}

/** As written; its path where the text is not at hand. */
export const lineText = (texts: ReadonlyMap<number, string>, line: Line): string =>
  shown(texts.get(line.number) ?? line.path.text);
