/** `explain` names the key and the bundle that decided, where they are from, and how old they are. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { explain } from '../../src/cli/explain.js';
import { serve, startHttpsSource } from '../helpers/https-source.js';
import type { HttpsSource } from '../helpers/https-source.js';
import { testIo } from '../helpers/io.js';
import { configWith, makeFolder, tokensWith } from './folder.js';
import type { Folder } from './folder.js';

let folder: Folder;
let server: HttpsSource;
beforeAll(async () => {
  folder = await makeFolder();
  server = await startHttpsSource(serve(JSON.stringify(folder.issuer.jwks)));
  folder.write('web.pem', server.ca.certificate);
});
afterAll(async () => {
  await server.close();
  folder.remove();
});

async function explained(keys: string, keysCA: string | null): Promise<{ exit: number; out: string; err: string }> {
  writeFileSync(folder.file('call.bin'), await folder.call());
  const config = folder.config(configWith({ tokens: [tokensWith({ keys, keysCA })] }));
  const io = testIo();
  const exit = await explain({ config, request: [folder.file('call.bin')] }, io);
  return { exit, out: io.out(), err: io.err() };
}

test('files, with when they changed', async () => {
  const { exit, out } = await explained('idp.jwks.json', null);
  expect(exit).toBe(0);
  expect(out).toMatch(/bundle of prod.example: [0-9a-f]{12} \(1 root\), from \S+prod.pem, changed \d+s ago/);
  expect(out).toMatch(/key key-1, audience orders\n +its key is from \S+idp.jwks.json, changed \d+s ago/);
});

test('a URL, asked once, with when it answered', async () => {
  const before = server.asked.length;
  const { exit, out } = await explained(`${server.origin}/keys`, 'web.pem');
  expect(exit).toBe(0);
  expect(server.asked.length).toBe(before + 1);
  expect(out).toMatch(/its key is from https:\/\/localhost:\d+\/keys, answered \d+s ago/);
  expect(out).toMatch(/keys https:\/\/idp.prod.example kid key-1 \(https:\/\/localhost:\d+\/keys, answered \d+s ago\)/);
});

test('a URL that does not answer: what serve would say, and why', async () => {
  await server.down();
  const { exit, out } = await explained(`${server.origin}/keys`, 'web.pem');
  expect(exit).toBe(1);
  expect(out).toContain('keys_unavailable');
  expect(out).toMatch(
    /keys https:\/\/idp.prod.example not loaded \(https:\S+, which has not answered\): .*ECONNREFUSED/,
  );
  expect(out).toMatch(/remedy +the operator must make the keys of https:\/\/idp.prod.example readable in https:/);
  await server.up();
});
