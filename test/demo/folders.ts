/** Folders that never outlive the demo, however it ends (but for SIGKILL). */
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';

export interface Folder {
  readonly path: string;
  remove(): Promise<void>;
}

const standing = new Set<string>();
process.on('exit', () => {
  for (const path of standing) rmSync(path, { recursive: true, force: true });
});

export async function makeFolder(prefix: string): Promise<Folder> {
  const path = await mkdtemp(prefix);
  standing.add(path);
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true });
      standing.delete(path);
    },
  };
}
