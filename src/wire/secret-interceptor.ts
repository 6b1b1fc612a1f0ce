/**
 * secret.ts for grpc-js. In: what is demanded now. Out: an interceptor that ends a call without it as UNAUTHENTICATED, so
 * that it gets no verdict. Health is exempt: probes know no secret, and learn nothing.
 */
import { ServerInterceptingCall, ServerListenerBuilder, status } from '@grpc/grpc-js';
import type { ServerInterceptor } from '@grpc/grpc-js';
import { HEALTH_PREFIX } from './names.js';
import { isSecret, SECRET_METADATA, SECRET_REQUIRED } from './secret.js';
import type { DemandedSecret } from './secret.js';

export function secretInterceptor(demanded: DemandedSecret): ServerInterceptor {
  return (method, call) => {
    if (method.path.startsWith(HEALTH_PREFIX)) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next(
          new ServerListenerBuilder()
            .withOnReceiveMetadata((metadata, proceed) => {
              if (isSecret(metadata.get(SECRET_METADATA), demanded())) proceed(metadata);
              else call.sendStatus({ code: status.UNAUTHENTICATED, details: SECRET_REQUIRED });
            })
            .build(),
        ),
    });
  };
}
