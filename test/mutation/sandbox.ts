/** Copies of the project in which a mutant may be written, so that no mistake ever stands in the checkout. */
import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const COPIED = ['src', 'test', 'proto', 'envoy', 'docs', 'package.json', 'tsconfig.json'] as const;

export interface Sandboxes {
  /** What was there when the run began: everybody works on copies of it, whatever happens to the checkout meanwhile. */
  readonly pristine: string;
  make(): string;
  removeAll(): void;
}

export function sandboxesOf(root: string): Sandboxes {
  const parent = realpathSync(mkdtempSync(join(tmpdir(), 'firsthand-mutation-')));
  const pristine = join(parent, 'pristine');
  const copy = (from: string, to: string): void => {
    for (const name of COPIED) cpSync(join(from, name), join(to, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(to, 'node_modules'));
  };
  copy(root, pristine);
  let count = 0;
  return {
    pristine,
    make() {
      count += 1;
      const folder = join(parent, String(count));
      copy(pristine, folder);
      return folder;
    },
    removeAll: () => rmSync(parent, { recursive: true, force: true }),
  };
}
