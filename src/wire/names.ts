/** What the service is called on the wire. Apart from proto.ts, so that who needs a name loads no protobuf library. */
export const AUTHORIZATION = 'envoy.service.auth.v3.Authorization';
export const CHECK_PATH = `/${AUTHORIZATION}/Check`;
/** grpc.health.v1. The secret of a listener is not demanded below this path. */
export const HEALTH_PREFIX = '/grpc.health.v1.Health/';
