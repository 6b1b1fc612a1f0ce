/**
 * The folder in which every example of every `--help` works: a configuration with a real bundle and real keys, the lines,
 * and whatever the examples name. A new example whose files are not here fails help.test.ts: add them.
 */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { decisionRecord } from '../../src/audit/record.js';
import { requestFacts } from '../../src/audit/request-facts.js';
import { callFrom, GUARD } from '../helpers/check-request.js';
import { openGuard } from '../helpers/offline-guard.js';
import { makeCa } from '../helpers/pki.js';
import { makeIssuer } from '../helpers/tokens.js';

const LINES = `GET     /orders/{id}  orders.read   data=internal from=ns/shop/sa/*
POST    /orders       orders.write  data=internal from=ns/shop/sa/frontend
`;

const CONFIG = `workload: ${GUARD}
listen: { check: [unix:check.sock], admin: "127.0.0.1:\${ADMIN_PORT:-9192}", drainDelay: 0s }
trust:
  prod.example: { bundle: prod.example.pem }
origin:
  forwarders:
    - id: spiffe://prod.example/ns/edge/sa/gateway
      origins: [spiffe://prod.example/ns/shop/**]
tokens:
  - { issuer: https://idp.prod.example, keys: idp.jwks.json, audiences: [orders] }
policy: { scopes: orders.scopes }
revocation: { file: revoked.ndjson }
audit: { to: file:guard.ndjson }
`;

const CASES = `cases:
  - { request: GET /orders/1 --as frontend --scopes orders.read, expect: allow }
  - { request: GET /orders/1 --as frontend --scopes orders.write, expect: scope_missing }
  - { request: POST /orders --as frontend --scopes orders.write, expect: allow }
  - { request: POST /orders --as reports --scopes orders.write, expect: caller_not_allowed }
`;

const OPENAPI = `openapi: 3.0.3
info: { title: orders, version: "1" }
paths:
  /orders/{id}: { get: { security: [{ oauth: [orders.read] }] } }
  /orders: { post: { security: [{ oauth: [orders.write] }] } }
`;

const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '        ');

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: { name: orders, namespace: shop }
spec:
  selector: { matchLabels: { app: orders } }
  template:
    metadata:
      labels: { app: orders }
      annotations:
        firsthand.dev/scopes: |
${indented(LINES).replaceAll('        ', '          ')}        firsthand.dev/owner: team-shop
    spec:
      containers: [{ name: orders, image: orders }]
`;

export interface Prepared {
  readonly folder: string;
  /** Environment in which `firsthand` is this checkout. */
  readonly env: Readonly<Record<string, string>>;
}

export async function prepareFolder(adminPort: number): Promise<Prepared> {
  const folder = mkdtempSync(join(tmpdir(), 'firsthand-help-'));
  const ca = await makeCa({ trustDomain: 'prod.example' });
  const issuer = await makeIssuer();
  const frontend = await ca.issue({ id: 'spiffe://prod.example/ns/shop/sa/frontend' });
  const token = await issuer.sign({ scope: 'orders.write' });
  const denied = callFrom({ peer: frontend, path: '/orders/1', token });
  const trusted = { 'prod.example.pem': ca.certificate, 'idp.jwks.json': JSON.stringify(issuer.jwks) };
  const files: Record<string, string | Uint8Array> = {
    ...trusted,
    'firsthand.yaml': CONFIG,
    'next.yaml': CONFIG,
    'orders.scopes': LINES,
    'cases.yaml': CASES,
    'openapi.yaml': OPENAPI,
    'deployment.yaml': DEPLOYMENT,
    'svid.pem': frontend.pem,
    'token.txt': `${token}\n`,
    'denied.bin': denied,
    'audit.ndjson': await auditOf([denied, callFrom({ peer: frontend, path: '/unknown' })], trusted),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  command(folder, 'firsthand', `exec "${process.execPath}" "${await buildInto(join(folder, 'app'))}" "$@"`);
  command(folder, 'helm', 'cat deployment.yaml');
  const path = `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`;
  return { folder, env: { ...stringsOf(process.env), PATH: path, ADMIN_PORT: String(adminPort), NO_COLOR: '1' } };
}

const ROOT = resolve(import.meta.dirname, '../..');

/** This checkout as a package: types taken away file by file, which is quick, and starts quickly. */
async function buildInto(folder: string): Promise<string> {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  const entryPoints = sources.filter((name) => name.endsWith('.ts')).map((name) => join(ROOT, 'src', name));
  await build({ entryPoints, outdir: join(folder, 'dist'), format: 'esm', target: 'node20', logLevel: 'silent' });
  for (const name of ['package.json', 'proto', 'node_modules']) symlinkSync(join(ROOT, name), join(folder, name));
  return join(folder, 'dist', 'main.js');
}

const stringsOf = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

function command(folder: string, name: string, line: string): void {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const file = join(folder, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${line}\n`);
  chmodSync(file, 0o755);
}

/** What the guard itself records of these requests; the first one has the id of the examples. */
async function auditOf(requests: readonly Buffer[], files: Readonly<Record<string, string>>): Promise<string> {
  const guard = await openGuard(CONFIG, { ...files, 'orders.scopes': LINES });
  try {
    const records: string[] = [];
    for (const bytes of requests) {
      const { outcome, attributes } = await guard.ask(bytes);
      const facts = attributes && requestFacts(attributes);
      const record = decisionRecord(outcome, facts, { path: 'raw', environment: null }, 1);
      records.push(JSON.stringify(records.length === 0 ? { ...record, id: '7c1f' } : record));
    }
    return `${records.join('\n')}\n`;
  } finally {
    guard.close();
  }
}
