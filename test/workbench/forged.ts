/** A configuration whose keys and bundles are nowhere, and the forged workbench around it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Reason } from '../../src/model/reasons.js';
import type { Settings } from '../../src/model/settings.js';
import { reasonOf } from '../../src/audit/record.js';
import type { Forge } from '../../src/workbench/forge.js';
import { openForgedWorkbench } from '../../src/workbench/open.js';
import type { Judged, Workbench } from '../../src/workbench/open.js';
import { parseShortForm } from '../../src/workbench/short-form.js';
import { splitWords } from '../../src/workbench/words.js';

export const FRONTEND = 'spiffe://prod.example/ns/shop/sa/frontend';
export const GATEWAY = 'spiffe://prod.example/ns/edge/sa/gateway';
export const MESH = 'spiffe://prod.example/ns/edge/sa/mesh';

export interface Parts {
  readonly origin?: Record<string, unknown>;
  readonly forwarder?: Record<string, unknown>;
  readonly token?: Record<string, unknown>;
  /** In place of the one issuer. */
  readonly tokens?: readonly Record<string, unknown>[];
  readonly trust?: Record<string, Record<string, unknown>>;
  readonly policy?: Record<string, unknown>;
  readonly more?: Record<string, unknown>;
  readonly lines?: string;
}

/** JSON is YAML. */
export function configOf({
  origin = {},
  forwarder = {},
  token = {},
  tokens,
  trust = {},
  policy = {},
  more = {},
}: Parts): string {
  const origins = ['spiffe://prod.example/**'];
  return JSON.stringify({
    workload: 'spiffe://prod.example/ns/shop/sa/orders',
    listen: { check: ['unix:check.sock'] },
    trust: { 'prod.example': { bundle: 'prod.pem' }, ...trust },
    origin: {
      forwarders: [
        { id: GATEWAY, origins, ...forwarder },
        { id: MESH, origins, behind: [GATEWAY], ...forwarder },
      ],
      ...origin,
    },
    tokens: tokens ?? [{ issuer: 'https://idp.prod.example', keys: 'idp.json', audiences: ['orders'], ...token }],
    policy: { scopes: 'scopes', ownersMay: ['anyone', 'workload'], ...policy },
    ...more,
  });
}

export const LINES = `GET /orders/{id} orders.read
GET /out/** token from=outside@ns/edge/sa/gateway,ns/**
GET /stats workload from=ns/monitoring/sa/*
GET /bound token bound
GET /young token age<=10m
GET /once token once
GRPC shop.v1.Cart/Add cart.write
GET /healthz anyone`;

export interface Stage {
  readonly folder: string;
  readonly config: string;
  readonly settings: Settings;
  readonly bench: Workbench;
  readonly forge: Forge;
  bytes(shortForm: string): Promise<Buffer>;
  ask(shortForm: string): Promise<Judged>;
  reason(shortForm: string): Promise<Reason>;
}

const folders: string[] = [];

export function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'firsthand-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

/** After each test. */
export function cleanUp(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export async function stage(parts: Parts = {}, now: () => number = Date.now): Promise<Stage> {
  const folder = folderWith({ 'firsthand.yaml': configOf(parts), scopes: parts.lines ?? LINES });
  const config = join(folder, 'firsthand.yaml');
  const opened = await openForgedWorkbench(config, {}, now);
  if (!opened.ok) throw new Error(opened.problems.join('\n'));
  const { bench, forge } = opened;
  const bytes = async (shortForm: string): Promise<Buffer> => {
    const words = splitWords(shortForm);
    if (typeof words === 'string') throw new Error(words);
    const scenario = parseShortForm(
      words.map(({ text }) => text),
      bench.settings,
    );
    if (typeof scenario === 'string') throw new Error(scenario);
    return forge.request(scenario);
  };
  const ask = async (shortForm: string): Promise<Judged> => bench.check(await bytes(shortForm));
  const reason = async (shortForm: string): Promise<Reason> => reasonOf((await ask(shortForm)).outcome);
  return { folder, config, settings: bench.settings, bench, forge, bytes, ask, reason };
}
