/** A process that says many things in its operational log and then ends. */
import { createLog } from '../../src/audit/log.js';

const log = createLog('info');
const started = performance.now();
for (let n = 0; n < Number(process.argv[2]); n++)
  log.info('something happened', { n, pad: 'x'.repeat(200), list: ['a', 'b'], none: undefined });
log.debug('below the level');
log.error('the end', { took: Math.round(performance.now() - started) });
process.stdout.write(String(Math.round(performance.now() - started)));
process.exit(0);
