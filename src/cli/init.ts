/**
 * `firsthand init`: proposes scope lines from an OpenAPI document, a descriptor set or audit records. The proposal goes
 * to stdout; exit 0, 1 where there is nothing to propose, 2 unreadable. What is printed compiles and has no overlaps.
 */
import type { Proposing } from '../workbench/api-document.js';
import { proposeFromAudit } from '../workbench/audit-trail.js';
import { proposeFromDescriptors } from '../workbench/descriptor-set.js';
import { proposeFromOpenApi } from '../workbench/api-document.js';
import { joinProposals, manifestText, proposalProblem, proposalText } from '../workbench/proposal.js';
import type { Proposal } from '../workbench/proposal.js';
import { complain, readInput, UNREADABLE } from './io.js';
import type { Io } from './io.js';

export interface InitOptions {
  readonly openapi?: readonly string[];
  readonly descriptors?: readonly string[];
  readonly audit?: readonly string[];
  readonly manifest?: boolean;
}

/** The largest documents of large services have a few megabytes; records come by the hundred. */
const MAX_BYTES = 256 * 1024 * 1024;

export async function init(options: InitOptions, io: Io): Promise<number> {
  const { openapi = [], descriptors = [], audit = [] } = options;
  if (openapi.length + descriptors.length + audit.length === 0) {
    complain(io, 'there is nothing to propose from: name --openapi FILE, --descriptors FILE or --audit FILE');
    return UNREADABLE;
  }
  const proposals = [
    ...(await fromEach(openapi, io, (bytes, file) => proposeFromOpenApi(textOf(bytes), file))),
    ...(await fromEach(descriptors, io, proposeFromDescriptors)),
    ...(await fromAll(audit, io)),
  ];
  const read = proposals.flatMap((each) => each ?? []);
  if (read.length < proposals.length) return UNREADABLE;
  return print(joinProposals(read), options.manifest ?? false, io);
}

function print(proposal: Proposal, manifest: boolean, io: Io): number {
  const scopes = proposalText(proposal);
  const problem = proposal.lines.length === 0 ? 'no route was found' : proposalProblem(scopes);
  if (proposal.lines.length > 0) io.stdout(manifest ? manifestText(scopes) : scopes);
  if (problem === undefined) return 0;
  complain(io, `${problem}; name fewer or other documents`);
  return 1;
}

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('utf8')
    .replace(/^\uFEFF/, '');

/** undefined for what could not be read; it has been told. */
type Read = Proposal | undefined;

async function fromEach(
  files: readonly string[],
  io: Io,
  propose: (bytes: Uint8Array, file: string) => Proposing | Promise<Proposing>,
): Promise<Read[]> {
  const proposals: Read[] = [];
  for (const file of files) {
    const bytes = await read(file, io);
    proposals.push(bytes === undefined ? undefined : told(await propose(bytes, file), file, io));
  }
  return proposals;
}

/** Records are counted over all files: one call in two places is one line. */
async function fromAll(files: readonly string[], io: Io): Promise<Read[]> {
  if (files.length === 0) return [];
  const texts: string[] = [];
  for (const file of files) {
    const bytes = await read(file, io);
    if (bytes === undefined) return [undefined];
    texts.push(textOf(bytes));
  }
  const name = files.join(', ');
  return [told(proposeFromAudit(texts, name), name, io)];
}

function told(proposing: Proposing, file: string, io: Io): Read {
  if (proposing.ok) return proposing.proposal;
  complain(io, `${file}: ${proposing.problem}`);
  return undefined;
}

async function read(file: string, io: Io): Promise<Uint8Array | undefined> {
  const input = await readInput(file, io);
  if (input.ok && input.bytes.length <= MAX_BYTES) return input.bytes;
  complain(io, input.ok ? `${file}: expected at most ${MAX_BYTES} bytes` : input.problem);
  return undefined;
}
