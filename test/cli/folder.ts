/**
 * A folder with everything that a guard's configuration names, made by authorities that really sign; and the ways in which
 * files change: in place, by rename, by append, by the kubelet's `..data` swap.
 */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { callFrom } from '../helpers/check-request.js';
import { makeCa } from '../helpers/pki.js';
import type { TestCa, TestSvid } from '../helpers/pki.js';
import { makeIssuer } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';

export const LINES = `GET   /orders/{id}  orders.read
POST  /orders       orders.write  once
GET   /healthz      anyone
GET   /stats        workload
`;

export interface Folder {
  readonly path: string;
  readonly ca: TestCa;
  readonly issuer: TestIssuer;
  readonly frontend: TestSvid;
  file(name: string): string;
  write(name: string, text: string): void;
  /** As careful writers do it: a new file, then a rename. */
  replace(name: string, text: string): void;
  append(name: string, text: string): void;
  /** Writes the configuration and returns its path. */
  config(text: string): string;
  /** Records and events of an audit file. */
  audit(name?: string): AuditLine[];
  /** A token of the issuer with the scope orders.read, unless said otherwise. */
  token(claims?: Record<string, unknown>): Promise<string>;
  /** GET /orders/1 by the frontend with a token of its own, unless said otherwise. */
  call(facts?: Partial<Parameters<typeof callFrom>[0]>): Promise<Buffer>;
  remove(): void;
}

export interface AuditLine {
  readonly event: string;
  readonly id?: string;
  readonly decision?: string;
  readonly reason?: string;
  readonly policy_stale?: boolean;
  readonly type?: string;
  readonly value?: string;
  readonly [field: string]: unknown;
}

export async function makeFolder(): Promise<Folder> {
  const path = mkdtempSync(join(tmpdir(), 'firsthand-cli-'));
  const ca = await makeCa();
  const frontend = await ca.issue();
  const issuer = await makeIssuer();
  const file = (name: string): string => join(path, name);
  const write = (name: string, text: string): void => writeFileSync(file(name), text);
  const token: Folder['token'] = (claims = {}) => issuer.sign({ scope: 'orders.read orders.write', ...claims });
  let configurations = 0;
  write('prod.pem', ca.certificate);
  write('idp.jwks.json', JSON.stringify(issuer.jwks));
  write('scopes', LINES);
  return {
    path,
    ca,
    issuer,
    frontend,
    file,
    write,
    replace(name, text) {
      write(`${name}.new`, text);
      renameSync(file(`${name}.new`), file(name));
    },
    append: (name, text) => appendFileSync(file(name), text),
    config(text) {
      const name = file(`firsthand-${(configurations += 1)}.yaml`);
      writeFileSync(name, text);
      return name;
    },
    audit: (name = 'audit.ndjson') =>
      readFileSync(file(name), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as AuditLine),
    token,
    async call(facts = {}) {
      const given = 'token' in facts ? facts.token : await token();
      return callFrom({ peer: frontend, path: '/orders/1', ...facts, token: given });
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** The folder's files, one Unix socket, no drain; `changes` replace whole sections. */
export const configWith = (changes: Readonly<Record<string, unknown>> = {}): string =>
  stringify({
    workload: 'spiffe://prod.example/ns/shop/sa/orders',
    listen: listenWith(),
    trust: { 'prod.example': { bundle: 'prod.pem' } },
    tokens: [tokensWith()],
    policy: { scopes: 'scopes', ownersMay: ['workload', 'anyone'] },
    audit: { to: 'file:audit.ndjson' },
    ...changes,
  });

export const listenWith = (changes: Readonly<Record<string, unknown>> = {}): object => ({
  check: ['unix:check.sock'],
  admin: 'unix:admin.sock',
  drainDelay: '0s',
  ...changes,
});

export const tokensWith = (changes: Readonly<Record<string, unknown>> = {}): object => ({
  issuer: 'https://idp.prod.example',
  keys: 'idp.jwks.json',
  audiences: ['orders'],
  ...changes,
});

/** A Downward API volume: files are links into `..data`, itself a link that is swapped by rename. */
export function annotationsVolume(folder: Folder, name: string): (scopes: string) => void {
  const volume = folder.file(name);
  mkdirSync(volume);
  let version = 0;
  return (scopes) => {
    version += 1;
    mkdirSync(join(volume, `..v${version}`));
    const quoted = JSON.stringify(scopes);
    writeFileSync(join(volume, `..v${version}`, 'annotations'), `firsthand.dev/scopes=${quoted}\n`);
    symlinkSync(`..v${version}`, join(volume, '..data_tmp'));
    renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
    if (version === 1) symlinkSync('..data/annotations', join(volume, 'annotations'));
  };
}

/** A port of the loopback address that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(address)));
    });
  });
}
