import { statSync } from 'node:fs';
import { UNREADABLE, complain, readInput } from './io.js';
import type { Io } from './io.js';
import type { Kind } from '../lint/kind.js';
import { lint } from '../lint/lint.js';
import type { Input } from '../lint/lint.js';
import { report } from '../lint/report.js';
import type { Format } from '../lint/report.js';
import { packageVersion } from '../version.js';

/** `firsthand lint FILE…`: exit 0 clean (infos do not count), 1 findings, 2 where a file could not be read. */
export interface LintOptions {
  readonly files: readonly string[];
  readonly as?: Kind;
  readonly config?: string;
  readonly openapi?: readonly string[];
  readonly descriptors?: readonly string[];
  readonly format?: Format;
}

export async function runLint(options: LintOptions, io: Io): Promise<number> {
  const read = reader(io);
  const inputs = await read(options.files);
  const [config] = await read(options.config === undefined ? [] : [options.config]);
  const openapi = await read(options.openapi ?? []);
  const descriptors = await read(options.descriptors ?? []);
  const findings = lint({ inputs, as: options.as, config, openapi, descriptors, env: io.env });
  io.stdout(report(findings, options.format ?? 'text', packageVersion()));
  if (read.failed()) return UNREADABLE;
  return findings.some(({ severity }) => severity !== 'info') ? 1 : 0;
}

interface Reader {
  (files: readonly string[]): Promise<Input[]>;
  failed(): boolean;
}

/** Complains about what can not be read, and goes on with the rest. */
function reader(io: Io): Reader {
  let failures = 0;
  const readAll = async (files: readonly string[]): Promise<Input[]> => {
    const inputs: Input[] = [];
    for (const file of files) {
      const read = tooLarge(file) ?? (await readInput(file, io));
      if (!read.ok) {
        complain(io, `cannot read ${read.problem}`);
        failures += 1;
      } else
        inputs.push(file === '-' ? { file: '<stdin>', bytes: read.bytes, piped: true } : { file, bytes: read.bytes });
    }
    return inputs;
  };
  return Object.assign(readAll, { failed: () => failures > 0 });
}

/** No chart renders as much, and a parser's tree is many times as large as its text. */
const MAX_BYTES = 32 * 1024 * 1024;

function tooLarge(file: string): { readonly ok: false; readonly problem: string } | undefined {
  const size = file === '-' ? 0 : (statSync(file, { throwIfNoEntry: false })?.size ?? 0);
  return size > MAX_BYTES ? { ok: false, problem: `${file}: ${size} bytes, at most ${MAX_BYTES} are read` } : undefined;
}
