import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { reasonOf } from '../../src/audit/record.js';
import { readCapture } from '../../src/workbench/capture.js';
import { openForgedWorkbench, openWorkbench } from '../../src/workbench/open.js';
import { cleanUp, configOf, folderWith, stage } from './forged.js';

afterEach(cleanUp);

const CALL = 'GET /orders/1 --as frontend --scopes orders.read';

describe('a workbench', () => {
  it('needs the configured files, and a forged one needs none of the keys', async () => {
    const { config } = await stage();
    const opened = await openWorkbench(config, {}, Date.now);
    expect(opened.ok ? [] : opened.problems.map((problem) => problem.replace(/.*\//, ''))).toEqual([
      'prod.pem: the file does not exist',
      'idp.json: the file does not exist',
    ]);
  });

  it('with real keys decides what the forge signed with them', async () => {
    const { folder, config, forge, bytes } = await stage();
    writeFileSync(join(folder, 'prod.pem'), [...forge.bundles.values()].join(''));
    writeFileSync(join(folder, 'idp.json'), [...forge.keys.values()].join(''));
    const opened = await openWorkbench(config, {}, Date.now);
    if (!opened.ok) throw new Error(opened.problems.join());
    expect(reasonOf((await opened.bench.check(await bytes(CALL))).outcome)).toBe('allowed');
    const another = await stage();
    expect(reasonOf((await opened.bench.check(await another.bytes(CALL))).outcome)).toBe('peer_untrusted');
  });

  it('tells every mistake of the configuration at its place', async () => {
    const folder = folderWith({ 'firsthand.yaml': 'trusst: {}\n' });
    const opened = await openForgedWorkbench(join(folder, 'firsthand.yaml'), {}, Date.now);
    expect(opened.ok ? '' : opened.problems[0]).toMatch(/firsthand\.yaml:1:1: error: .*trusst/);
  });

  it('without a policy file does not open, and with bad lines answers policy_invalid', async () => {
    const folder = folderWith({ 'firsthand.yaml': configOf({}) });
    const config = join(folder, 'firsthand.yaml');
    const missing = await openForgedWorkbench(config, {}, Date.now);
    expect(missing.ok ? '' : missing.problems.join()).toMatch(/scopes: the file does not exist/);
    writeFileSync(join(folder, 'scopes'), 'GETT /');
    const bad = await openForgedWorkbench(config, {}, Date.now);
    if (!bad.ok) throw new Error(bad.problems.join());
    expect(bad.bench.sources.problems().get('policy')).toMatch(/1:1/);
    const bytes = await bad.forge.request({ method: 'GET', path: '/', as: 'frontend', via: [], headers: [] });
    expect(reasonOf((await bad.bench.check(bytes)).outcome)).toBe('policy_invalid');
  });

  it('knows the revocations, and forgets only what it did itself', async () => {
    const { folder, config, reason } = await stage({ more: { revocation: { file: 'revoked.ndjson' } } });
    expect(await reason(CALL)).toBe('allowed');
    const line = { at: '2026-01-01T00:00:00Z', revoke: 'identity', value: 'spiffe://prod.example/ns/shop/sa/frontend' };
    appendFileSync(join(folder, 'revoked.ndjson'), `${JSON.stringify(line)}\n`);
    const opened = await openForgedWorkbench(config, {}, Date.now);
    if (!opened.ok) throw new Error(opened.problems.join());
    const { bench, forge } = opened;
    const bytes = await forge.request({ method: 'GET', path: '/stats', as: 'frontend', via: [], headers: [] });
    for (const check of [bench.check, bench.alone])
      expect(reasonOf((await check(bytes)).outcome)).toBe('identity_revoked');
  });

  it('answers bytes that are no CheckRequest', async () => {
    const { bench } = await stage();
    const judged = await bench.check(Buffer.from('nonsense'));
    expect(reasonOf(judged.outcome)).toBe('request_malformed');
    expect(judged.attributes).toBeUndefined();
    expect(judged.answer.kind).toBe('deny');
  });
});

describe('a capture', () => {
  const capture = (name: string): Buffer => readFileSync(new URL(`../captures/${name}`, import.meta.url));

  it('is bytes as they are', () => {
    const bytes = capture('direct-mtls-h2.bin');
    expect(readCapture(bytes)).toBe(bytes);
  });

  it('is JSON in either spelling of field names', async () => {
    const { bytes } = await stage();
    const request = await bytes(CALL);
    const json = {
      attributes: {
        source: { principal: 'spiffe://prod.example/ns/shop/sa/frontend' },
        request: {
          http: { method: 'GET', path: '/', host: 'x', headerMap: { headers: [{ key: 'aB', rawValue: 'eA==' }] } },
        },
      },
    };
    const snake = JSON.stringify(json).replace('headerMap', 'header_map').replace('rawValue', 'raw_value');
    expect(readCapture(Buffer.from(JSON.stringify(json)))).toEqual(readCapture(Buffer.from(`\uFEFF ${snake}`)));
    const map = (text: string): unknown =>
      readCapture(Buffer.from(`{"attributes":{"request":{"http":{"headers":{"${text}":"1"}}}}}`));
    expect(map('xA')).not.toEqual(map('x_a'));
    expect(request.length).toBeGreaterThan(0);
  });

  it.each([
    ['{', 'none'],
    ['{}', 'without "attributes"'],
    ['{"attributes": 7}', 'no CheckRequest'],
  ])('%s is refused', (text, problem) => {
    expect(readCapture(Buffer.from(text))).toMatchObject({ problem: expect.stringContaining(problem) as unknown });
  });

  it('by its name is JSON whatever it begins with', () => {
    expect(readCapture(Buffer.from('\n{"attributes":{}}'), 'a.json')).toBeInstanceOf(Uint8Array);
    expect(readCapture(Buffer.from('nonsense'), 'a.json')).toHaveProperty('problem');
  });
});
