/**
 * A document that can be tried out. In: Markdown. Out: its steps in their order: files, of which the paragraph before the
 * block is nothing but the name in backquotes, and commands with the output that the document shows. `…` in an output
 * stands for what differs from run to run, within one line.
 */
export type DocumentStep =
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  | { readonly kind: 'command'; readonly line: number; readonly command: string; readonly output: string };

interface Block {
  readonly line: number;
  readonly language: string;
  /** The paragraph before it. */
  readonly before: string;
  readonly lines: readonly string[];
}

const SHELL = ['console', 'sh'];

export const stepsOf = (markdown: string): DocumentStep[] =>
  blocksOf(markdown).flatMap((block): DocumentStep[] => {
    if (SHELL.includes(block.language)) return commandsOf(block);
    const name = /^`([\w.-]+)`$/.exec(block.before)?.[1];
    return name === undefined ? [] : [{ kind: 'file', name, text: textOf(block) }];
  });

/** All blocks in one language that are no files. */
export const shown = (markdown: string, language: string): string[] =>
  blocksOf(markdown)
    .filter((block) => block.language === language)
    .map(({ lines }) => `${lines.join('\n')}\n`);

/** A record is one line; a document breaks it up, and indents what belongs to the line before. */
const textOf = ({ language, lines }: Block): string =>
  `${language === 'json' ? lines.join('\n').replaceAll(/\n /g, '') : lines.join('\n')}\n`;

function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; language: string; before: string; lines: string[] } | undefined;
  let before = '';
  markdown.split('\n').forEach((text, index) => {
    const fence = /^```(\w*)$/.exec(text);
    if (open === undefined && fence !== null) {
      open = { line: index + 1, language: fence[1] ?? '', before, lines: [] };
    } else if (open !== undefined && text === '```') {
      blocks.push(open);
      open = undefined;
      before = '';
    } else if (open !== undefined) open.lines.push(text);
    else if (text !== '') before = text;
  });
  if (open !== undefined) throw new Error(`the block in line ${open.line} never ends`);
  return blocks;
}

function commandsOf({ line, lines }: Block): DocumentStep[] {
  const commands: { kind: 'command'; line: number; command: string; output: string }[] = [];
  lines.forEach((text, index) => {
    const last = commands.at(-1);
    if (text.startsWith('$ '))
      commands.push({ kind: 'command', line: line + index + 1, command: text.slice(2), output: '' });
    else if (last === undefined) throw new Error(`line ${line + index + 1}: output without a command`);
    else last.output += `${text}\n`;
  });
  return commands;
}

const ANYTHING = '[^\\n]+';

/** Whether a text is what the document shows. */
export const matches = (shownText: string, text: string): boolean =>
  new RegExp(`^${shownText.split('…').map(escaped).join(ANYTHING)}$`).test(text);

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
