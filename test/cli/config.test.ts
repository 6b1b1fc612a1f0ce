import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseDocument, visit } from 'yaml';
import { printConfig } from '../../src/cli/config.js';
import { loadConfig } from '../../src/config/load.js';
import { configJsonSchema } from '../../src/config/schema.js';
import { checkGuardrails } from '../../src/policy/compile.js';
import { testIo } from '../helpers/io.js';

const FULL = `workload: spiffe://prod.example/ns/\${NAMESPACE:-shop}/sa/\${NAME}
environment: "\${ENVIRONMENT}"
trust:
  prod.example: { bundle: prod.example.pem }
  partner.example:
    bundle: partner.json
    ceiling: { scopes: [catalog.*], data: public }
origin:
  maxHops: 3
  forwarders:
    - id: spiffe://prod.example/ns/edge/sa/gateway
      origins: [spiffe://prod.example/**]
tokens:
  - issuer: https://idp.prod.example
    keys: idp.jwks.json
    audiences: [orders, "\${NAME}"]
    identity: "{sub}"
policy:
  scopes: scopes.txt
  guardrails: |
    DELETE /** orders.admin
    # everybody
    * /** token
`;
const ENV = { NAME: 'orders', ENVIRONMENT: 'prod' };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'firsthand-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function print(text: string, env: Readonly<Record<string, string>> = ENV): { exit: number; out: string; err: string } {
  const file = join(folder, 'firsthand.yaml');
  writeFileSync(file, text);
  const io = testIo({ env });
  const exit = printConfig({ config: file }, io);
  return { exit, out: io.out(), err: io.err() };
}

describe('config print', () => {
  it('says for each value where it came from: the file, the environment, or a default', () => {
    const { exit, out } = print(FULL);
    expect(exit).toBe(0);
    const lines = out.split('\n');
    for (const line of [
      'workload: spiffe://prod.example/ns/shop/sa/orders # ${NAMESPACE} ${NAME} firsthand.yaml:1:11',
      'environment: prod # ${ENVIRONMENT} firsthand.yaml:2:14',
      '    bundle: prod.example.pem # firsthand.yaml:4:27',
      '      data: public # firsthand.yaml:7:43',
      '  maxHops: 3 # firsthand.yaml:9:12',
      '  peer: certificate # default',
      '    audiences: [orders, orders] # ${NAME} firsthand.yaml:16:16',
      '    scopes: null # default: the claim scope, then scp',
      '    maxLifetime: 1h # default',
      '  admin: 127.0.0.1:9192 # default',
      '  guardrails: | # firsthand.yaml:20:15',
    ])
      expect(lines).toContain(line);
  });

  it('leaves no value without a source', () => {
    const naked: string[] = [];
    visit(parseDocument(print(FULL).out), {
      Pair: (_, { key, value }) => {
        const plain = value as { items?: unknown[]; flow?: boolean; comment?: string };
        if ((plain.items === undefined || plain.flow === true) && plain.comment === undefined) naked.push(String(key));
      },
    });
    expect(naked).toEqual([]);
  });

  it('names every key of the schema', () => {
    const printed = parse(print(FULL).out) as object;
    expect(Object.keys(printed)).toEqual(Object.keys(configJsonSchema()['properties'] as object));
  });

  it('prints a configuration that means the same', () => {
    const settings = (text: string): unknown => {
      const file = join(folder, 'firsthand.yaml');
      writeFileSync(file, text);
      const loaded = loadConfig(file, ENV, checkGuardrails);
      return loaded.ok ? loaded.settings : loaded.issues;
    };
    expect(settings(print(FULL).out)).toEqual(settings(FULL));
  });

  it('shows no password of a URL', () => {
    const { out } = print(FULL.replace('https://idp.prod.example', 'https://user:hush@idp.prod.example'));
    expect(out).toContain('issuer: https://…@idp.prod.example');
    expect(out).not.toContain('hush');
  });

  it('is exit 2 with every mistake in its place where serve would not start', () => {
    const { exit, out, err } = print(FULL.replace('maxHops: 3', 'maxHop: 3'), {});
    expect([exit, out]).toEqual([2, '']);
    expect(err.trim().split('\n').length).toBe(4);
    expect(err).toContain('firsthand.yaml:9:3: error: unknown key "maxHop" in origin (did you mean');
  });
});
