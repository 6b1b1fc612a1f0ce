/** `npm run demo`: set-up in plain Node, then the demo in TypeScript. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensure, SetupError } from '../setup.mjs';

const demo = dirname(fileURLToPath(import.meta.url));

function setUp() {
  try {
    return ensure({
      envoy: true,
      build: true,
      redis: process.argv.some((word) => word === '--theft' || word === '--sabotage'),
    });
  } catch (error) {
    console.error(error instanceof SetupError ? `setup: ${error.message}` : error);
    process.exit(2);
  }
}

const { root, envoy, main, redis } = setUp();
const args = ['--import', 'tsx', join(demo, 'main.ts'), root, envoy, main, redis, ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
// Ctrl-C reaches the whole group; the demo ends its processes by itself and this one waits for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 130));
