/**
 * Bundles in the order that their domain gave them (SPIFFE Federation §4.2). In: a reader of bundles. Out: the same, which
 * refuses a bundle whose `spiffe_sequence` is below that of the last good one: somebody has put an old bundle back, maybe
 * with an authority that was taken out of it. One without a number is taken as it comes, and so is the same number again.
 * Does NOT remember across restarts.
 */
import type { Parse } from '../source.js';
import type { BundleContents } from '../trust-bundle.js';

export function inOrder(parse: Parse<BundleContents>): Parse<BundleContents> {
  let last = -1;
  return async (text) => {
    const read = await parse(text);
    if (!read.ok || read.value.sequence === undefined) return read;
    const { sequence } = read.value;
    if (sequence < last)
      return {
        ok: false,
        problem: `its spiffe_sequence went back from ${last} to ${sequence}: an old bundle is ignored`,
      };
    last = sequence;
    return read;
  };
}
