/** A story as a person reads it, with colours on a terminal. In: a story. Out: text; its strings are safe to print already. */
import type { Change, ComesTo, Remedy } from '../workbench/change.js';
import type { RecordStory } from '../workbench/record-story.js';
import { sourceText } from '../workbench/story-context.js';
import type { Version } from '../workbench/story-context.js';
import type { Step, Story } from '../workbench/story.js';
import { changeLines } from './change-text.js';

type Paint = (colour: 'red' | 'green' | 'yellow' | 'dim' | 'bold', text: string) => string;

const CODES = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;
const painted: Paint = (colour, text) => `\u001b[${CODES[colour]}m${text}\u001b[0m`;
const plain: Paint = (_, text) => text;

const INDENT = ' '.repeat(12);

export function explainText(story: Story | RecordStory, colour: boolean): string {
  const paint = colour ? painted : plain;
  const lines = [
    headline(story, paint),
    ...('recorded' in story ? [recordedLine(story)] : []),
    ...(story.detail === undefined ? [] : wrapped(story.detail).map((line) => row('', line))),
    '',
    ...story.steps.flatMap((step) => stepLines(step, paint)),
    '',
    ...(story.line === undefined
      ? []
      : [row(isDecisive(story) ? 'decided by' : 'matched', `${lineTitle(story)}: ${story.line}`)]),
    ...(story.remedy === undefined ? [] : remedyLines(story.remedy, paint)),
    ...candidateLines(story),
    ...story.versions.map((version, index) => row(index === 0 ? 'versions' : '', versionText(version))),
  ];
  return `${lines.join('\n')}\n`;
}

const row = (name: string, text: string): string => `${name.padEnd(INDENT.length)}${text}`;

/** What stands before step 7 was asked for by the line, and refused by something else. */
const isDecisive = ({ failed, decision, guardrail }: Story): boolean =>
  decision !== 'undecidable' && (failed === undefined || failed === 'policy' || guardrail !== undefined);

/** Words of a sentence in lines that a terminal of 120 columns holds. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

const WIDTH = 106;

const lineTitle = ({ guardrail, rule }: Story): string =>
  guardrail === undefined ? `line ${rule ?? ''}` : `guardrail ${guardrail}`;

const COLOUR = { allow: 'green', deny: 'red', undecidable: 'yellow' } as const;

function headline({ decision, reason, title, status, shadow, failed }: Story, paint: Paint): string {
  const word = paint(COLOUR[decision], paint('bold', decision.toUpperCase()));
  if (decision === 'undecidable') return `${word}  ${title}`;
  const at = failed === undefined ? '' : `, at step ${failed}`;
  if (shadow !== undefined) return `${word}  shadow mode: without it, deny ${shadow}${at}`;
  return `${word}  ${reason}: ${title} (HTTP ${status}${at})`;
}

function recordedLine({ recorded: { id, time, decision, reason, shadow, rule, policy } }: RecordStory): string {
  const line = rule === undefined ? '' : `, line ${rule}`;
  return row(
    'recorded',
    `${decision} ${reason}${shadow === undefined ? '' : ` (shadow: ${shadow})`}${line}, policy ${policy ?? 'none'}, ${time ?? 'no time'}, id ${id}`,
  );
}

const MARK = {
  passed: 'green',
  failed: 'red',
  skipped: 'dim',
  'not reached': 'dim',
  undecidable: 'yellow',
} as const;

function stepLines({ step, status, saw }: Step, paint: Paint): string[] {
  const [first, ...rest] = saw;
  const head = `${step.padEnd(INDENT.length)}${paint(MARK[status], status)}`;
  return [first === undefined ? head : `${head}: ${first}`, ...rest.map((fact) => `${INDENT}${fact}`)];
}

function remedyLines({ text, change, further = [], comesTo }: Remedy, paint: Paint): string[] {
  return [
    ...proposalLines('remedy', text, change, paint),
    ...further.flatMap((next) => proposalLines('and then', `${next.reason}: ${next.text}`, next.change, paint)),
    ...comesToLines(comesTo, further.length + 1),
  ];
}

function proposalLines(name: string, text: string, change: Change | undefined, paint: Paint): string[] {
  const shownChange = change === undefined ? [] : changeLines(change).map((line) => `${INDENT}→ ${line}`);
  return [...wrapped(text).map((line, index) => row(index === 0 ? name : '', paint('bold', line))), ...shownChange];
}

function allowedLines(supposing: readonly string[], changes: number): string[] {
  if (changes === 1 && supposing.length === 0) return [];
  const all = changes === 1 ? 'it' : `all ${changes} changes`;
  const condition = supposing.length === 0 ? '' : `, if ${supposing.join(' and ')}`;
  return wrapped(`decided again with ${all}: allow${condition}`).map((line) => row('', line));
}

/** Where one change is enough, it speaks for itself. */
function comesToLines(comesTo: ComesTo | undefined, changes: number): string[] {
  switch (comesTo?.kind) {
    case undefined:
      return [];
    case 'allowed':
      return allowedLines(comesTo.supposing, changes);
    case 'refused':
      return [row('', 'decided again with what can be changed: still deny')];
    case 'not known':
      return wrapped(`whether that is enough is not known: ${comesTo.why}`).map((line) => row('', line));
  }
}

function candidateLines({ candidate }: Story): string[] {
  if (candidate === undefined) return [];
  const line = candidate.rule === undefined ? '' : `, line ${candidate.rule}`;
  return [row('candidate', `${candidate.decision} ${candidate.reason}${line}, policy ${candidate.policy}`)];
}

function versionText({ what, name, version, source, problem }: Version): string {
  const from = source === undefined ? '' : ` (${sourceText(source)})`;
  return `${[what, name, version].filter((part) => part !== '').join(' ')}${from}${problem === undefined ? '' : `: ${problem}`}`;
}
