/**
 * The sources as JavaScript, made anew for each test file in a moment: what `npm run build` would give, without types being
 * checked, and a snapshot that does not change while the tests run. Out: the path of its main.js.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { afterAll } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Below node_modules, so that packages are found from there. */
const CACHE = join(ROOT, 'node_modules', '.cache');

export function buildCommand(): string {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'firsthand-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const sources = join(ROOT, 'src');
  buildSync({
    entryPoints: readdirSync(sources, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(sources, name)),
    outbase: sources,
    outdir: join(folder, 'dist'),
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  });
  for (const name of ['package.json', 'proto']) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  return join(folder, 'dist', 'main.js');
}
