/**
 * Property tests draw the same examples in every run, so that a green run stays green and a red one can be run again.
 * FC_SEED=random looks elsewhere, FC_SEED=NUMBER where somebody looked before.
 */
import * as fc from 'fast-check';

const asked = process.env['FC_SEED'];
if (asked !== 'random') fc.configureGlobal({ seed: Number(asked ?? 7) });
