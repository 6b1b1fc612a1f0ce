/** The least that a server on our own HTTP/2 can do: as noop.mjs, on startLeanListener. In: the path of a Unix socket. */
import { startLeanListener } from '../../src/wire/lean/listener.js';

/** CheckResponse { status {} ok_response {} } */
const OK = Buffer.from([0x0a, 0x00, 0x1a, 0x00]);

const listener = await startLeanListener({
  address: { kind: 'unix', path: process.argv[2] ?? '' },
  socketMode: 0o600,
  reflection: false,
  handle: () => OK,
  log: () => undefined,
});
process.stderr.write('"msg":"serving"\n');
process.once('SIGTERM', () => void listener.close(0).then(() => process.exit(0)));
