/**
 * Everything that rotates, and who makes it: signing keys at an https server, roots in a bundle file, the certificate of a
 * peer, the guard's own certificates. Each turn puts a new one of each and takes an old one away; when it did so is
 * written down here, and what must come of it is read from that alone.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startHttpsSource } from '../helpers/https-source.js';
import type { HttpsSource } from '../helpers/https-source.js';
import { makeCa, SERVER_AUTH } from '../helpers/pki.js';
import type { TestCa, TestSvid } from '../helpers/pki.js';
import { makeIssuer } from '../helpers/tokens.js';
import type { TestIssuer } from '../helpers/tokens.js';
import { fileLife, servedLife } from './timeline.js';
import type { Life } from './timeline.js';

export const FRONTEND = 'spiffe://prod.example/ns/shop/sa/frontend';
export const OTHER = 'spiffe://prod.example/ns/shop/sa/other';
const ORDERS = 'spiffe://prod.example/ns/shop/sa/orders';

/** Contract, section 9: a changed file counts within 5 s. */
export const FILE_GRACE = 5000;
/** From an answer of the key server to the guard's next decision: the set is read and swapped. */
const TAKING_IN = 1500;
/** What the key server allows its answers to be kept, s. */
export const MAX_AGE = 1;

/** Turns that a key, and a root, stay after the turn that put them: the next one is sure before they go. */
const KEY_TURNS = 4;
const ROOT_TURNS = 4;
/** Turns after the last new one, until the last old one is sure to be refused: roots go last, and count 5 s later. */
export const turnsAfter = (cycle: number): number => ROOT_TURNS + Math.ceil(FILE_GRACE / cycle);

interface Thing {
  /** -Infinity: it was there at the start. */
  readonly put: number;
  taken: number;
}

export interface Key extends Thing {
  readonly issuer: TestIssuer;
}
export interface Root extends Thing {
  readonly ca: TestCa;
  /** Of each workload, by this root. */
  readonly frontend: TestSvid;
  readonly other: TestSvid;
}
/** A certificate of the frontend's that replaced another one. */
export interface Leaf {
  readonly svid: TestSvid;
  /** s; a token from before is older than the certificate. */
  readonly notBefore: number;
  readonly root: Root;
  readonly previous: TestSvid;
}
/** What the TCP listener shows. */
export interface Shown extends Thing {
  readonly svid: TestSvid;
}

export interface World {
  readonly server: HttpsSource;
  readonly keys: readonly Key[];
  readonly roots: readonly Root[];
  readonly leaves: readonly Leaf[];
  readonly shown: readonly Shown[];
  readonly own: readonly TestSvid[];
  /** When the guard fetched keys. */
  readonly fetches: readonly number[];
  readonly keyLife: (key: Key) => Life;
  readonly rootLife: (root: Root) => Life;
  /** `add`: puts a new one of everything; old ones go in any case. */
  turn(add: boolean): Promise<void>;
  close(): Promise<void>;
}

export async function createWorld(folder: string): Promise<World> {
  const [keys, roots, leaves, shown, own]: [Key[], Root[], Leaf[], Shown[], TestSvid[]] = [[], [], [], [], []];
  const fetches: number[] = [];
  const web = await makeCa({ name: 'Web CA', uris: [] });
  const server = await startHttpsSource((_, response) => {
    fetches.push(Date.now());
    response.writeHead(200, { 'cache-control': `max-age=${MAX_AGE}` });
    response.end(JSON.stringify({ keys: there(keys).map(({ issuer }) => issuer.jwk) }));
  }, web);
  const keyLife = ({ put, taken }: Key): Life => servedLife(put, taken, fetches, TAKING_IN);
  const rootLife = ({ put, taken }: Root): Life => fileLife(put, taken, FILE_GRACE);

  const write = (name: string, text: string): void => {
    writeFileSync(join(folder, `${name}.new`), text);
    renameSync(join(folder, `${name}.new`), join(folder, name));
  };

  const turnKeys = async (put: number | undefined, turns: number): Promise<void> => {
    const issuer = put === undefined ? undefined : await makeIssuer({ kid: `key-${keys.length}` });
    if (issuer !== undefined) keys.push({ issuer, put: put === -Infinity ? put : Date.now(), taken: Infinity });
    takeAway(keys, KEY_TURNS, turns);
  };

  const turnRoots = async (put: number | undefined, turns: number): Promise<void> => {
    const root = put === undefined ? undefined : await makeRoot(`Root ${roots.length}`);
    takeAway(roots, ROOT_TURNS, turns);
    if (root !== undefined) roots.push({ ...root, put: put === -Infinity ? put : Date.now(), taken: Infinity });
    write(
      'prod.pem',
      there(roots)
        .map(({ ca }) => ca.certificate)
        .join(''),
    );
  };

  /** The newest root that is sure; the certificate is valid from the last full second. */
  const turnLeaf = async (): Promise<void> => {
    const now = Date.now();
    const root = sure(roots, rootLife, now);
    const notBefore = Math.floor(now / 1000);
    const svid = await root.ca.issue({ id: FRONTEND, notBefore: new Date(notBefore * 1000) });
    leaves.push({ svid, notBefore, root, previous: leaves.at(-1)?.svid ?? root.frontend });
  };

  const turnOwn = async (put: number): Promise<void> => {
    const svid = await web.issue({ id: ORDERS, dns: ['localhost'], eku: [SERVER_AUTH], notBefore: new Date() });
    const before = shown.at(-1);
    const time = put === -Infinity ? put : Date.now();
    if (before !== undefined) before.taken = time;
    shown.push({ svid, put: time, taken: Infinity });
    write('server.crt', svid.pem);
    write('server.key', svid.keyPem);
    const identity = await web.issue({ id: ORDERS, notBefore: new Date() });
    own.push(identity);
    write('svid.pem', identity.pem);
    write('svid.key', identity.keyPem);
  };

  write('web.pem', web.certificate);
  await turnKeys(-Infinity, 0);
  await turnRoots(-Infinity, 0);
  await turnOwn(-Infinity);
  await turnLeaf();
  let turns = 0;
  return {
    server,
    keys,
    roots,
    leaves,
    shown,
    own,
    fetches,
    keyLife,
    rootLife,
    async turn(add) {
      turns += 1;
      const put = add ? 0 : undefined;
      await Promise.all([turnKeys(put, turns), turnRoots(put, turns), turnLeaf(), add ? turnOwn(0) : undefined]);
    },
    close: () => server.close(),
  };
}

const there = <T extends Thing>(things: readonly T[]): T[] => things.filter(({ taken }) => taken === Infinity);

/** The one that was put `stay` turns ago goes; the newest one never does. */
function takeAway(things: Thing[], stay: number, turn: number): void {
  const gone = things[turn - stay];
  if (gone !== undefined && gone !== things.at(-1)) gone.taken = Date.now();
}

/** The newest that must be trusted now. */
export function sure<T extends Thing>(things: readonly T[], lifeOf: (thing: T) => Life, now: number): T {
  const found = things.findLast((thing) => lifeOf(thing).from <= now && thing.taken === Infinity);
  if (found === undefined) throw new Error('the schedule left nothing that is sure');
  return found;
}

async function makeRoot(name: string): Promise<Pick<Root, 'ca' | 'frontend' | 'other'>> {
  const ca = await makeCa({ name });
  const [frontend, other] = await Promise.all([ca.issue({ id: FRONTEND }), ca.issue({ id: OTHER })]);
  return { ca, frontend, other };
}
