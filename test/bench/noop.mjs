/**
 * The least that a server on grpc-js can do: the bytes of a request in, the same few bytes of an OK out. In: the path of a
 * Unix socket. It decodes nothing, decides nothing, records nothing: what Firsthand costs more than this is Firsthand.
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';

const asIs = (bytes) => bytes;
/** CheckResponse { status {} ok_response {} } */
const OK = Buffer.from([0x0a, 0x00, 0x1a, 0x00]);

const server = new Server({ 'grpc.enable_channelz': 0 });
server.addService(
  {
    check: {
      path: '/envoy.service.auth.v3.Authorization/Check',
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  },
  { check: (_call, respond) => respond(null, OK) },
);
server.bindAsync(`unix:${process.argv[2]}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
  process.stderr.write('"msg":"serving"\n');
});
process.on('SIGTERM', () => server.forceShutdown());
