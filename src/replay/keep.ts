/** Which checks `serve --record` keeps: a share of those that could be read. In: outcomes. Out: lines of the spool. */
import type { Attributes } from '../model/attributes.js';
import type { Outcome } from '../model/decision.js';
import type { Settings } from '../model/settings.js';
import { reduceCheck } from './reduce.js';
import type { Spool } from './spool.js';

/** `share` 1 keeps all. `draw` is uniform in [0, 1). */
export function keepInto(spool: Spool, share: number, draw: () => number) {
  return (outcome: Outcome, attributes: Attributes | undefined, settings: Pick<Settings, 'tokens'>): void => {
    if (attributes === undefined || draw() >= share) return;
    const places = [...new Set(settings.tokens.map(({ from }) => from))];
    spool.write(JSON.stringify(reduceCheck(attributes, outcome, places)));
  };
}
