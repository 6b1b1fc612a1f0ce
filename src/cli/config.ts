/** `firsthand config print`: exit 0, or 2 where `serve` would not start with this file. */
import { resolve } from 'node:path';
import { effectiveConfig } from '../config/effective.js';
import { effectiveYaml } from '../config/effective-yaml.js';
import { formatConfigIssue } from '../config/load.js';
import { checkGuardrails } from '../policy/compile.js';
import { UNREADABLE } from './io.js';
import type { Io } from './io.js';

export function printConfig({ config: file }: { readonly config: string }, io: Io): number {
  const read = effectiveConfig(file, io.env, checkGuardrails);
  if (!read.ok) {
    for (const issue of read.issues) io.stderr(`${formatConfigIssue(issue)}\n`);
    return UNREADABLE;
  }
  const head = [`effective configuration of ${resolve(file)}`, 'relative paths are relative to its folder'];
  io.stdout(effectiveYaml(read.config, head));
  return 0;
}
