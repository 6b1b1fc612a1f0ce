/** `npm run soak -- --rotation`: set-up in plain Node, then the soak in TypeScript. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensure, SetupError } from '../setup.mjs';

const soak = dirname(fileURLToPath(import.meta.url));

function setUp() {
  try {
    return ensure({ build: true });
  } catch (error) {
    console.error(error instanceof SetupError ? `setup: ${error.message}` : error);
    process.exit(2);
  }
}

const { root, main } = setUp();
const args = ['--import', 'tsx', join(soak, 'main.ts'), main, ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 130));
