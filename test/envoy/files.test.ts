import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configuration, gateway, sidecar } from '../demo/envoys.js';
import type { EnvoyFile } from '../demo/envoys.js';
import { makeMaterials } from '../demo/materials.js';
import { ensure } from '../setup.mjs';

const { root, envoy } = ensure({ envoy: true });
let folder: string;
let files: readonly EnvoyFile[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firsthand-files-'));
  const { file } = await makeMaterials(folder, 'files');
  const certs = { certificate: file('orders.pem'), key: file('orders.key'), bundle: file('bundle.pem') };
  files = [
    sidecar({ ...certs, checkSocket: file('check.sock'), inbound: 15_106, http: 8180, grpc: 9190 }),
    gateway({ ...certs, mesh: 8543, public: 9543, orders: 15_106 }),
  ];
});
afterAll(() => rm(folder, { recursive: true }));

async function validate(text: string): Promise<{ status: number | null; said: string }> {
  const path = join(folder, 'envoy.json');
  await writeFile(path, text);
  const done = spawnSync(envoy, ['--mode', 'validate', '-c', path], { encoding: 'utf8' });
  return { status: done.status, said: done.stdout + done.stderr };
}

describe('the files of envoy/', () => {
  it('are accepted by Envoy', async () => {
    for (const file of files) {
      const { status, said } = await validate(configuration(root, file));
      expect(said).toContain('OK');
      expect(status, said).toBe(0);
    }
  });

  it('would not be accepted with a mistyped field', async () => {
    for (const file of files) {
      const { status, said } = await validate(
        configuration(root, file).replace('"normalize_path"', '"normalise_path"'),
      );
      expect(said).toContain('normalise_path');
      expect(status).not.toBe(0);
    }
  });

  it('hold every value that the demo replaces', () => {
    for (const file of files) {
      const more: EnvoyFile = { ...file, replace: [...file.replace, ['/not/there', 'x']] };
      expect(() => configuration(root, more)).toThrow('/not/there');
    }
  });
});
