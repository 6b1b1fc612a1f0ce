/**
 * `firsthand inspect cert|token|xfcc [FILE|-]`: exit 0 fine, 1 faults, 2 unreadable. What was found goes to stdout, faults
 * too: they are the result. Never prints a secret: workbench/inspection.ts is the door of every value.
 */
import { faultsOf, inspectionJson, inspectionText } from '../workbench/inspection.js';
import type { Inspection } from '../workbench/inspection.js';
import { inspectCert } from '../workbench/inspect-cert.js';
import { inspectToken } from '../workbench/inspect-token.js';
import { inspectXfcc } from '../workbench/inspect-xfcc.js';
import { complain, readInput, UNREADABLE } from './io.js';
import type { Io } from './io.js';

export interface InspectOptions {
  readonly what: string;
  /** Default: stdin. */
  readonly file?: string;
  readonly json?: boolean;
}

export const INSPECTABLE = ['cert', 'token', 'xfcc'] as const;
type Inspectable = (typeof INSPECTABLE)[number];

/** Whatever is worth a look is far below; the bound keeps a wrong file from filling the memory. */
const MAX_BYTES = 8 * 1024 * 1024;

export async function inspect({ what, file = '-', json = false }: InspectOptions, io: Io): Promise<number> {
  const kind = INSPECTABLE.find((known) => known === what);
  if (kind === undefined) {
    complain(io, `expected one of ${INSPECTABLE.join(', ')}, got ${JSON.stringify(what)}`);
    return UNREADABLE;
  }
  const input = await readInput(file, io);
  if (!input.ok) {
    complain(io, `${input.problem}; name a file, or - for stdin`);
    return UNREADABLE;
  }
  const size = input.bytes.length;
  if (size > MAX_BYTES || Buffer.from(input.bytes).toString('latin1').trim() === '') {
    const got = size > MAX_BYTES ? `more than ${MAX_BYTES} bytes` : 'nothing';
    complain(io, `${file === '-' ? 'stdin' : file}: expected a ${WORDS[kind]}, got ${got}`);
    return UNREADABLE;
  }
  const inspection = look(kind, input.bytes, io.now());
  io.stdout(json ? inspectionJson(inspection) : inspectionText(inspection));
  return faultsOf(inspection).length === 0 ? 0 : 1;
}

const WORDS: Readonly<Record<Inspectable, string>> = {
  cert: 'certificate in PEM or DER',
  token: 'token',
  xfcc: 'value of x-forwarded-client-cert',
};

function look(kind: Inspectable, bytes: Uint8Array, now: number): Inspection {
  switch (kind) {
    case 'cert':
      return inspectCert(bytes, now);
    case 'token':
      return inspectToken(Buffer.from(bytes).toString('utf8'), now);
    case 'xfcc':
      return inspectXfcc(Buffer.from(bytes).toString('utf8'), now);
  }
}
