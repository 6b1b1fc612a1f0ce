/**
 * The shared secret of a listener: Envoy adds it to each call as metadata (initial_metadata). In: what a call brought, and
 * what is demanded now. Out: whether it may be heard. Does NOT keep the secret: it is asked for on each call. Kept true on
 * both transports by the tests under "the secret" in test/wire/.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

export const SECRET_METADATA = 'x-firsthand-secret';
export const SECRET_REQUIRED = 'the secret of this listener is required';

export type DemandedSecret = () => string | undefined;

/** Exactly one value. An empty secret is demanded by nobody on purpose (an emptied file), so nothing equals it. */
export function isSecret(presented: readonly (string | Buffer)[], demanded: string | undefined): boolean {
  if (demanded === undefined) return true;
  const [only, ...more] = presented;
  if (demanded === '' || only === undefined || more.length > 0) return false;
  return timingSafeEqual(digest(only), digest(demanded));
}

/** Of one length whatever was sent, as timingSafeEqual demands. */
const digest = (text: string | Buffer): Buffer => createHash('sha256').update(text).digest();
