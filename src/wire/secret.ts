/**
 * The shared secret of a listener: Envoy adds it to each call as metadata (initial_metadata). In: what is demanded now.
 * Out: an interceptor that ends a call without it as UNAUTHENTICATED, so that it gets no verdict. Health is exempt:
 * probes know no secret, and learn nothing. Does NOT keep the secret: it is asked for on each call.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { ServerInterceptingCall, ServerListenerBuilder, status } from '@grpc/grpc-js';
import type { ServerInterceptor } from '@grpc/grpc-js';

export const SECRET_METADATA = 'x-firsthand-secret';

const HEALTH_PREFIX = '/grpc.health.v1.Health/';

export type DemandedSecret = () => string | undefined;

export function secretInterceptor(demanded: DemandedSecret): ServerInterceptor {
  return (method, call) => {
    if (method.path.startsWith(HEALTH_PREFIX)) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next(
          new ServerListenerBuilder()
            .withOnReceiveMetadata((metadata, proceed) => {
              if (isSecret(metadata.get(SECRET_METADATA), demanded())) proceed(metadata);
              else
                call.sendStatus({ code: status.UNAUTHENTICATED, details: 'the secret of this listener is required' });
            })
            .build(),
        ),
    });
  };
}

/** Exactly one value. An empty secret is demanded by nobody on purpose (an emptied file), so nothing equals it. */
function isSecret(presented: readonly (string | Buffer)[], demanded: string | undefined): boolean {
  if (demanded === undefined) return true;
  const [only, ...more] = presented;
  if (demanded === '' || only === undefined || more.length > 0) return false;
  return timingSafeEqual(digest(only), digest(demanded));
}

/** Of one length whatever was sent, as timingSafeEqual demands. */
const digest = (text: string | Buffer): Buffer => createHash('sha256').update(text).digest();
