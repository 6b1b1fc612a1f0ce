/**
 * `npm run mutation`: breaks the source in one place at a time and looks whether a test notices. Plain Node, so that it can
 * say what is missing before it starts the TypeScript behind it. Options: see main.ts.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensure, SetupError } from '../setup.mjs';

try {
  ensure();
  const main = join(dirname(fileURLToPath(import.meta.url)), 'main.ts');
  const done = spawnSync(process.execPath, ['--import', 'tsx', main, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exitCode = done.status ?? 1;
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
