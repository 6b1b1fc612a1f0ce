/** A process that writes many audit lines to its standard output and then ends as the guard does. */
import { openSink } from '../../src/audit/sink.js';

const count = Number(process.argv[2]);
let dropped = 0;
const sink = openSink(
  { kind: 'stdout' },
  { maxBuffer: 16 * 1024 * 1024, onDropped: (lines) => (dropped += lines), onFailing: () => undefined },
);
const started = performance.now();
for (let n = 0; n < count; n++) sink.write(`{"n":${n},"pad":"${'x'.repeat(200)}"}`);
const took = performance.now() - started;
await sink.close();
process.stderr.write(JSON.stringify({ took, dropped, closed: performance.now() - started }));
process.exit(0);
