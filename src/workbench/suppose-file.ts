/** The request with a file in place that the guard could not read. */
import { fromText } from '../model/from.js';
import type { Change } from './change.js';
import { trustedIn } from './suppose-caller.js';
import { resigned } from './suppose-token.js';
import type { Supposed, Unknown } from './supposed.js';

type FileChange = Extract<Change, { readonly kind: 'file' }>;

export async function supposeFile({ file, holds }: FileChange, world: Supposed): Promise<Supposed | Unknown> {
  switch (holds) {
    case 'policy':
      return { unknown: 'what the right lines say about this request is not known before they are there' };
    case 'keys':
      return resigned(world);
    case 'bundle':
      return trustedIn(
        [...world.context.settings.trust].find(([, { bundle }]) => fromText(bundle) === file)?.[0],
        world,
      );
  }
}
