/**
 * What makes a bundle endpoint one that shows an X.509-SVID (SPIFFE Federation §7.2): all of it is written, and nothing is
 * inferred from anything else.
 */
import type { Config } from '../schema.js';
import type { Places } from './rule.js';

export function checkFederation({ trust }: Config, places: Places): void {
  for (const [name, { bundle, bundleCA, endpointSpiffeId, bootstrap }] of Object.entries(trust)) {
    const [id, file] = [endpointSpiffeId !== null, bootstrap !== null];
    const at = (key: string) => ['trust', name, key];
    if (!id && !file) continue;
    if (!/^https:/i.test(bundle) && !places.isTouched(at('bundle')))
      places.report(at(id ? 'endpointSpiffeId' : 'bootstrap'), 'expected an https bundle beside it', 'take it out');
    else if (bundleCA !== null)
      places.report(at('bundleCA'), 'no authority of the web counts beside endpointSpiffeId', 'take it out');
    else if (!file) places.report(at('bootstrap'), 'expected a bundle file beside endpointSpiffeId, got nothing', HINT);
    else if (!id) places.report(at('endpointSpiffeId'), 'expected a SPIFFE ID beside bootstrap, got nothing', HINT);
  }
}

const HINT = 'who answers at the endpoint, and the bundle that its first answer is verified with: both, or neither';
