/** A command's surroundings in memory. */
import { processIo } from '../../src/cli/io.js';
import type { Io } from '../../src/cli/io.js';

export interface TestIo extends Io {
  readonly out: () => string;
  readonly err: () => string;
}

export function testIo(given: Partial<Omit<Io, 'stdin'>> & { readonly input?: string | Uint8Array } = {}): TestIo {
  const { input = '', ...rest } = given;
  const written: [out: string[], err: string[]] = [[], []];
  return {
    ...processIo(),
    env: {},
    isTerminal: false,
    stdin: () => Promise.resolve(typeof input === 'string' ? input : Buffer.from(input).toString('utf8')),
    stdinBytes: () => Promise.resolve(Buffer.from(input)),
    stdout: (text) => void written[0].push(text),
    stderr: (text) => void written[1].push(text),
    ...rest,
    out: () => written[0].join(''),
    err: () => written[1].join(''),
  };
}
