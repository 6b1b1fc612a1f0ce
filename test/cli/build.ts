/**
 * What `npm run build` gives, made anew for each test file in a moment: a snapshot that does not change while the tests run.
 * Out: the path of its main.js.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { bundle } from '../../build.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Below node_modules, so that packages are found from there. */
const CACHE = join(ROOT, 'node_modules', '.cache');

export async function buildCommand(): Promise<string> {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'firsthand-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['package.json', 'proto']) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  await bundle(ROOT, join(folder, 'dist'));
  return join(folder, 'dist', 'main.js');
}
