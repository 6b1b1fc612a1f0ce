/** Python's gRPC (the C core, as in many languages) asks the lean listener. Skipped where pip cannot install it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startLeanListener } from '../../src/wire/lean/listener.js';
import { ensure, ensureGrpcio } from '../setup.mjs';

const { python } = ensure({ envoy: true });
const SCRIPT = fileURLToPath(new URL('grpcio.py', import.meta.url));
const ANSWER = Buffer.from('0a001a00', 'hex');

test.skipIf(!ensureGrpcio())('every call of a Python client gets its answer or its status', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fh-'));
  const path = join(folder, 's');
  const listener = await startLeanListener({
    address: { kind: 'unix', path },
    socketMode: 0o600,
    reflection: false,
    log: (message, facts) => console.error(message, facts),
    handle: (bytes) => {
      if (bytes.equals(Buffer.from('never'))) return new Promise(() => {});
      return bytes.equals(Buffer.from('later'))
        ? new Promise((resolve) => setImmediate(() => resolve(ANSWER)))
        : ANSWER;
    },
  });
  const child = spawn(python, [SCRIPT, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  await listener.close(1_000);
  rmSync(folder, { recursive: true });
  expect(code).toBe(0);
  const answer = ANSWER.toString('hex');
  expect(JSON.parse(said)).toEqual({
    one: answer,
    empty: answer,
    large: answer,
    'too large': 'RESOURCE_EXHAUSTED',
    'with metadata': answer,
    compressed: 'UNIMPLEMENTED',
    late: 'DEADLINE_EXCEEDED',
    unknown: 'UNIMPLEMENTED',
    health: '0801',
    watch: '0801',
    'at once': { [answer]: 2_000 },
  });
});
