/** `npm run demo`, after the set-up: argv and the exit code. */
import { demo } from './demo.js';

// Ends the processes and removes the folders too: processes.ts and folders.ts do so at exit.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const [root = '', envoy = '', main = '', redis = '', ...argv] = process.argv.slice(2);
demo(argv, { root, envoy, main, redis }).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  },
);
