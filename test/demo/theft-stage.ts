/**
 * The stage of `--theft`: two replicas of `orders`, each a sidecar Envoy with a guard of its own, one workload behind both, and
 * one Redis that both guards ask. In: which guard to run. Out: as stage.ts; both guards write into one audit log.
 */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeAccessLog, makeAuditLog } from './audit-log.js';
import { makeFolder } from './folders.js';
import { makeMaterials, writeConfig } from './materials.js';
import type { GuardPlan, Materials, StorePlan } from './materials.js';
import { startEnvoy, startGuard, startRedis } from './players.js';
import type { Programs } from './players.js';
import { freePorts } from './ports.js';
import { scaffold } from './scaffold.js';
import type { Undo } from './scaffold.js';
import { sidecarOf } from './stage.js';
import type { Ports, Stage } from './stage.js';
import { startUpstream } from './upstream.js';

type Later = (undo: Undo) => void;
type Witnesses = Pick<Stage, 'materials' | 'audit' | 'access'>;

export async function setTheftStage(programs: Programs): Promise<Stage> {
  const codes: number[] = [];
  const { built, strike } = await scaffold(async (later) => {
    const folder = await makeFolder(join(tmpdir(), 'firsthand-theft-'));
    later(() => folder.remove());
    const materials = await makeMaterials(folder.path, 'files');
    const store = await setStore(programs, materials, later);
    const { ports, admins } = await findPorts();
    const upstream = await startUpstream(ports.http, ports.grpc);
    later(() => upstream.stop());
    const witnesses = { materials, audit: makeAuditLog(), access: makeAccessLog() };
    const replica = (name: string, admin: number, inbound: number) =>
      startReplica(programs, witnesses, { name, admin, store }, { ...ports, inbound }, later, codes);
    const tails = [await replica('one', admins[0], ports.sidecar), await replica('two', admins[1], ports.second)];
    return { ...witnesses, ports, upstream, guardSaid: () => tails.map((tail) => tail()).join('\n') };
  });
  return { ...built, stop: async () => (await strike(), codes.length === 2 ? Math.max(...codes) : -1) };
}

async function findPorts(): Promise<{ readonly ports: Ports; readonly admins: readonly [number, number] }> {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = await freePorts(6);
  return { ports: { sidecar: a, second: b, gateway: 0, public: 0, admin: c, http: e, grpc: f }, admins: [c, d] };
}

/** With a key of the guards' own, so that nobody reads names or identities in Redis. */
async function setStore(programs: Programs, materials: Materials, later: Later): Promise<StorePlan> {
  const [port = 0] = await freePorts(1);
  const redis = await startRedis(programs, materials.folder, port);
  later(() => redis.stop());
  await writeFile(materials.file('store.key'), randomBytes(32).toString('hex'), { mode: 0o600 });
  return { url: `redis://127.0.0.1:${port}/0`, keyFile: 'store.key' };
}

/** A guard and the Envoy that asks it. Out: what the guard said last. */
async function startReplica(
  programs: Programs,
  { materials, audit, access }: Witnesses,
  plan: GuardPlan & { readonly name: string },
  ports: Pick<Ports, 'http' | 'grpc'> & { readonly inbound: number },
  later: Later,
  codes: number[],
): Promise<() => string> {
  const guard = await startGuard(programs, await writeConfig(materials, plan), plan.admin, audit);
  later(async () => codes.push(await guard.stop()));
  const file = sidecarOf(materials, plan.name, ports);
  const envoy = await startEnvoy(programs, materials, file, [ports.inbound], access, `sidecar-${plan.name}`);
  later(() => envoy.stop());
  return guard.tail;
}
