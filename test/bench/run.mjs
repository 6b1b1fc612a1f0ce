/** `npm run bench [-- --quick] [--only PART,…] [--flood 10m]`: set-up in plain Node, then the benchmark in TypeScript. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensure, SetupError } from '../setup.mjs';

const bench = dirname(fileURLToPath(import.meta.url));

/** Without it the part that goes through Envoy is left out. */
function envoyIfPossible() {
  try {
    return ensure({ envoy: true });
  } catch (error) {
    console.error(`bench: no Envoy: ${error instanceof SetupError ? error.message : String(error)}`);
    return { envoy: '' };
  }
}

function setUp() {
  try {
    return { ...ensure({ build: true }), ...envoyIfPossible() };
  } catch (error) {
    console.error(error instanceof SetupError ? `setup: ${error.message}` : error);
    process.exit(2);
  }
}

const { root, main, envoy } = setUp();
const args = ['--import', 'tsx', join(bench, 'main.ts'), root, main, envoy, ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
// Ctrl-C reaches the whole group; the benchmark ends its processes by itself and this one waits for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 130));
