/**
 * The pod's annotations as the kubelet's Downward API writes them: a file of name="Go-quoted value" lines, reached through
 * the symbolic link ..data, which a change swaps in one rename.
 */
import { mkdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Annotations = Readonly<Record<string, string>>;

export async function writeAnnotations(folder: string, annotations: Annotations, version: number): Promise<void> {
  const name = `..version_${version}`;
  await mkdir(join(folder, name), { recursive: true });
  const text = Object.entries(annotations).map(([key, value]) => `${key}=${goQuoted(value)}\n`);
  await writeFile(join(folder, name, 'annotations'), text.join(''));
  const old = await readlink(join(folder, '..data')).catch(() => undefined);
  await symlink(name, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  if (old === undefined) await symlink('..data/annotations', join(folder, 'annotations'));
  else await rm(join(folder, old), { recursive: true });
}

/** The demo's annotations are printable ASCII, tabs and line ends: for these Go's quoting and JSON's are one. */
const goQuoted = (text: string): string => JSON.stringify(text);
