/**
 * `firsthand explain`: one request, decided as `serve` would, told step by step. Exit 0 allow, 1 deny or undecidable,
 * 2 where something could not be read.
 */
import { findRecord } from '../workbench/audit-file.js';
import { readCapture } from '../workbench/capture.js';
import { openForgedWorkbench, openWorkbench } from '../workbench/open.js';
import type { Workbench } from '../workbench/open.js';
import { recordStory } from '../workbench/record-story.js';
import type { RecordStory } from '../workbench/record-story.js';
import { parseShortForm } from '../workbench/short-form.js';
import { storyContext } from '../workbench/story-context.js';
import { storyOf } from '../workbench/story.js';
import { wholeStory } from '../workbench/whole-story.js';
import type { Story } from '../workbench/story.js';
import { explainText } from './explain-text.js';
import { complain, readInput, UNREADABLE } from './io.js';
import type { Io } from './io.js';

export interface ExplainOptions {
  readonly config: string;
  /** A file or `-`; or the words of the short form. */
  readonly request: readonly string[];
  readonly id?: string;
  readonly audit?: string;
  readonly json?: boolean;
}

type Told = Story | RecordStory | { readonly problems: readonly string[] };

const problem = (text: string): Told => ({ problems: [text] });

export async function explain(options: ExplainOptions, io: Io): Promise<number> {
  const story = await tell(options, io);
  if ('problems' in story) {
    for (const text of story.problems) complain(io, text);
    return UNREADABLE;
  }
  const colour = io.isTerminal && (io.env['NO_COLOR'] ?? '') === '';
  io.stdout(options.json === true ? `${JSON.stringify(story, null, 2)}\n` : explainText(story, colour));
  return story.decision === 'allow' ? 0 : 1;
}

async function tell(options: ExplainOptions, io: Io): Promise<Told> {
  const { request, id, audit } = options;
  if (id !== undefined || audit !== undefined) {
    if (request.length > 0) return problem('give either a request, or --id with --audit');
    if (id === undefined || audit === undefined) return problem('--id and --audit go together: --id ID --audit FILE');
    return ofRecord(options.config, id, audit, io);
  }
  const [first, ...more] = request;
  if (first === undefined)
    return problem('what to explain? a CheckRequest file, "-", or for example: GET /orders/1 --as frontend');
  return more.length === 0 ? ofFile(options.config, first, io) : ofWords(options.config, request, io);
}

async function ofFile(config: string, file: string, io: Io): Promise<Told> {
  const content = await readInput(file, io);
  if (!content.ok) return problem(content.problem);
  const read = readCapture(content.bytes, file);
  if ('problem' in read) return problem(`${file}: ${read.problem}`);
  const opened = await openWorkbench(config, io.env, io.now);
  return opened.ok ? ofBytes(opened.bench, read, 'configured', io) : opened;
}

/** Throw-away keys and certificates, verified as real ones are. */
async function ofWords(config: string, words: readonly string[], io: Io): Promise<Told> {
  const opened = await openForgedWorkbench(config, io.env, io.now);
  if (!opened.ok) return opened;
  const scenario = parseShortForm(words, opened.bench.settings);
  if (typeof scenario === 'string') return problem(scenario);
  return ofBytes(opened.bench, await opened.forge.request(scenario), 'forged', io);
}

async function ofBytes(bench: Workbench, bytes: Uint8Array, keys: 'configured' | 'forged', io: Io): Promise<Told> {
  const { outcome, attributes } = await bench.check(bytes);
  const context = await storyContext(bench, io.now(), keys);
  return wholeStory(storyOf(outcome, attributes, context), outcome, attributes, context, bench);
}

async function ofRecord(config: string, id: string, audit: string, io: Io): Promise<Told> {
  const record = await findRecord(audit, id);
  if ('problem' in record) return problem(record.problem);
  // Only the policy is read again: the record's certificates and tokens are gone.
  const opened = await openForgedWorkbench(config, io.env, io.now);
  if (!opened.ok) return opened;
  const context = await storyContext(opened.bench, io.now(), 'forged');
  return recordStory(record, { ...context, versions: context.versions.slice(0, 1) }, opened.bench.sources.snapshot());
}
