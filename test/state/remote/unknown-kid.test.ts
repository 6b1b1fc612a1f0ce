/** The whole way from a call with a new key to its key: the engine, its caches, the sources, a real https server. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEngine, readersFor } from '../../../src/engine.js';
import { openersWith } from '../../../src/state/openers.js';
import { createRemotes } from '../../../src/state/remote/remotes.js';
import { openSources } from '../../../src/state/sources.js';
import type { Sources } from '../../../src/state/sources.js';
import { reasonOf } from '../../../src/audit/record.js';
import { readRequest } from '../../../src/wire/read-request.js';
import { configWith, makeFolder, tokensWith } from '../../cli/folder.js';
import type { Folder } from '../../cli/folder.js';
import { until } from '../../cli/until.js';
import { loadConfig } from '../../../src/config/load.js';
import { serve, startHttpsSource } from '../../helpers/https-source.js';
import type { HttpsSource } from '../../helpers/https-source.js';
import { makeIssuer } from '../../helpers/tokens.js';

let folder: Folder;
let server: HttpsSource;
beforeAll(async () => {
  folder = await makeFolder();
  server = await startHttpsSource(serve(JSON.stringify(folder.issuer.jwks), { 'cache-control': 'max-age=900' }));
  folder.write('web.pem', server.ca.certificate);
});
afterAll(async () => {
  await server.close();
  folder.remove();
});

test('a new kid counts within 35 s, and a flood of unknown ones is one attempt in each cool-down', async () => {
  const file = folder.config(
    configWith({ tokens: [tokensWith({ keys: `${server.origin}/keys`, keysCA: 'web.pem' })] }),
  );
  const loaded = loadConfig(file, {}, () => []);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
  const { settings } = loaded;
  const readers = readersFor(settings);
  const openers = openersWith(readers, settings.policy.maxLastGood, createRemotes({ chance: () => 0 }));
  const start = Date.now();
  let now = start;
  const sources: Sources = await openSources(settings, readers, now, () => undefined, openers);
  const engine = createEngine({
    settings,
    snapshot: sources.snapshot,
    now: () => now,
    onFault: (fault) => {
      throw fault;
    },
  });
  const reason = async (bytes: Buffer): Promise<string> => reasonOf(await engine.check(readRequest(bytes), undefined));
  const signedBy = async (kid: string): Promise<Buffer> => {
    const token = await (await makeIssuer({ kid })).sign({ scope: 'orders.read' });
    return folder.call({ token });
  };
  await sources.settled();
  await sources.takeIn(now);
  expect(server.asked).toHaveLength(1);
  expect(await reason(await folder.call())).toBe('allowed');

  const next = await makeIssuer({ kid: 'key-2' });
  const call = await folder.call({ token: await next.sign({ scope: 'orders.read' }) });
  const strangers = await Promise.all(Array.from({ length: 20 }, (_, index) => signedBy(`stranger-${index}`)));
  now = start + 5000;
  expect(await reason(call)).toBe('token_key_unknown');
  server.respond(serve(JSON.stringify({ keys: [folder.issuer.jwk, next.jwk] }), { 'cache-control': 'max-age=900' }));
  for (; now < start + 30_000; now += 1000) {
    for (const stranger of strangers) expect(await reason(stranger)).toBe('token_key_unknown');
    expect(await reason(call)).toBe('token_key_unknown');
    await sources.poll(now);
  }
  expect(server.asked).toHaveLength(1);
  await sources.poll(now);
  await until(() => server.asked.length === 2, 5000);
  await until(async () => {
    await sources.takeIn(now);
    return (await reason(call)) === 'allowed';
  }, 5000);
  expect(now).toBeLessThanOrEqual(start + 35_000);

  // The same call again and again, its refusal never remembered: it is the source that must be asked again.
  for (; now < start + 59_000; now += 1000) {
    expect(await reason(strangers[0] ?? call)).toBe('token_key_unknown');
    await sources.poll(now);
  }
  expect(server.asked).toHaveLength(2);
  await sources.poll(start + 60_000);
  await until(() => server.asked.length === 3, 5000);
  sources.close();
});
