/**
 * Builds a guard with one check switched off. In: a patch (test/mutation/sabotage.ts). Out: the path of its main.js, in a
 * folder of its own below .demo/ that holds all that the build's dist/ has around it. Refuses a patch whose text is not in
 * the source exactly once: a list of patches that no longer fit proves nothing.
 */
import { build } from 'esbuild';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sabotage } from '../mutation/sabotage.js';
import { makeFolder } from './folders.js';

/** The list and the source do not fit together. */
export class StalePatch extends Error {}

export interface Saboteur {
  readonly main: string;
  /** Removes the folder. */
  clean(): Promise<void>;
}

export async function sabotage(root: string, patch: Sabotage): Promise<Saboteur> {
  await mkdir(join(root, '.demo'), { recursive: true });
  const { path: folder, remove: clean } = await makeFolder(join(root, '.demo', `sabotage-${patch.name}-`));
  try {
    for (const name of ['src', 'proto', 'package.json'])
      await cp(join(root, name), join(folder, name), { recursive: true });
    await applyPatch(join(folder, 'src', patch.file), patch);
    await compile(folder);
  } catch (error) {
    await clean();
    throw error;
  }
  return { main: join(folder, 'dist', 'main.js'), clean };
}

async function applyPatch(file: string, patch: Sabotage): Promise<void> {
  const source = await readFile(file, 'utf8');
  const parts = source.split(patch.find);
  if (parts.length !== 2)
    throw new StalePatch(
      `sabotage ${patch.name}: src/${patch.file} holds its text ${parts.length - 1} times, expected once: ${patch.find}`,
    );
  await writeFile(file, parts.join(patch.replace));
}

/** File by file, as tsc does it, without its type check: a patch may leave an import unused. */
async function compile(folder: string): Promise<void> {
  const files = await readdir(join(folder, 'src'), { recursive: true });
  await build({
    entryPoints: files.filter((name) => name.endsWith('.ts')).map((name) => join(folder, 'src', name)),
    outbase: join(folder, 'src'),
    outdir: join(folder, 'dist'),
    bundle: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  });
}
