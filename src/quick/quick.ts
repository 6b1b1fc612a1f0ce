/**
 * The story of a check that was decided before. In: bytes. Out: an answer at once, or nothing: then the whole way has to be
 * gone. It never allows or denies by itself. One glance finds which bytes say who calls and what for; small numbers stand
 * for them, and lead to the key that recall.ts made of the same bytes on the whole way. With that key the decision is recalled
 * as ever: its moments, the revocations and the pin are looked at on each hit. So what is kept here is a shorter way to a key, and
 * what is wrong with a request is only ever said by the whole way.
 * Kept true by test/properties/quick.test.ts: leaving out any one part of the numbers makes it fail.
 */
import { randomInt } from 'node:crypto';
import type { CheckDependencies } from '../ask.js';
import { guardOf } from '../check.js';
import { momentOf } from '../audit/record-template.js';
import type { Attributes } from '../model/attributes.js';
import type { SpiffeId } from '../model/ids.js';
import { recall, recallKey } from '../recall.js';
import { FORWARDED_HEADER, OVERRIDE_HEADERS, readShape } from '../request/shape.js';
import type { CachedDecision } from '../state/decision-cache.js';
import { rememberLast } from '../state/last.js';
import { createShelf } from '../state/shelf.js';
import type { Shelved } from '../state/shelf.js';
import { createTuples } from '../state/tuples.js';
import { OURS } from '../wire/answer.js';
import { createGlance } from '../wire/glance.js';
import { createCallers } from './callers.js';
import type { CallerPart } from './callers.js';
import { Found, Settled } from './found.js';
import { createRoutes } from './routes.js';
import type { RoutePart } from './routes.js';
import { isPlain } from './texts.js';

export interface Quick {
  /** Undefined: the whole way has to be gone. */
  find(bytes: Buffer): Found | undefined;
  /** A decision about this request was found on the whole way: the next time it is found here. */
  learn(bytes: Buffer, attributes: Attributes): void;
}

export type QuickPart = CallerPart | RoutePart | 'snapshot';
export const QUICK_PARTS: readonly QuickPart[] = [
  ...(['principal', 'certificate', 'destination', 'forwarded', 'credentials'] as const),
  ...(['method', 'path', 'authority', 'line', 'guardrails', 'candidateLine', 'host', 'snapshot'] as const),
];

/** Callers, with each of the routes that they use. */
const MAX_PLACES = 32_768;
/** Answers and records that are at hand, some 2 KiB each. */
const MAX_PREPARED = 4096;
/** Far more places of tokens than anybody has. */
const MAX_CREDENTIALS = 4;
/** Numbers are given once; long before there are none left, everything begins anew. */
const LAST_NUMBER = 2 ** 30;

/** Undefined where the settings leave no request that a glance could understand. */
export function createQuick(deps: CheckDependencies, without: readonly QuickPart[] = []): Quick | undefined {
  const { settings } = deps;
  const credentials = [...new Set(settings.tokens.map(({ from }) => from))];
  const glance = createGlance({
    credentials,
    forwarded: FORWARDED_HEADER,
    suspects: [...OURS, ...OVERRIDE_HEADERS, 'upgrade', ':protocol'],
    allowed: settings.allowHeaders,
  });
  if (glance === undefined || credentials.length > MAX_CREDENTIALS) return undefined;
  const { seen } = glance;
  const shared = { glance, momentOf: rememberLast(momentOf) };
  let last = 1;
  const common = { seed: randomInt(2 ** 31), next: () => (last += 1) };
  const routes = createRoutes(deps, common, without as readonly RoutePart[]);
  const callers = createCallers(credentials.length, common, without as readonly CallerPart[]);
  const key = new Int32Array(callers.width);
  const known = createTuples<Known>(callers.width, MAX_PLACES);
  const shelf = createShelf<Known>(MAX_PREPARED);
  let snapshot = deps.snapshot();

  /** The policy, keys or bundles are others: no number of a route leads to what was decided before. */
  const follow = (): void => {
    const current = deps.snapshot();
    if (last >= LAST_NUMBER) beginAnew();
    if (current === snapshot || without.includes('snapshot')) return;
    snapshot = current;
    routes.renew(current);
    known.clear();
    shelf.clear();
  };
  const beginAnew = (): void => {
    for (const each of [routes, callers, known, shelf]) each.clear();
    last = 1;
  };

  return {
    find(bytes) {
      if (!glance.look(bytes)) return undefined;
      follow();
      const route = routes.find(bytes, seen);
      if (route.number === 0 || !callers.find(bytes, seen, route.blind, key)) return undefined;
      key[callers.width - 1] = route.number;
      const caller = known.find(key);
      if (caller === undefined) return undefined;
      const now = deps.now();
      const entry = recall(caller.key, now, deps);
      if (entry === undefined) return undefined;
      const settled = settledFor(caller, entry);
      const id = deps.newId();
      return new Found(settled, id, now, settled.answer(id), bytes, route.told, shared);
    },
    learn(bytes, attributes) {
      if (!glance.look(bytes)) return;
      follow();
      const route = routes.find(bytes, seen);
      const shape = readShape(attributes, settings);
      const { policy, candidate } = snapshot;
      if (route.number === 0 || !shape.ok || policy === undefined || !areAllPlain(attributes, credentials)) return;
      if (!callers.add(bytes, seen, route.blind, key)) return;
      key[callers.width - 1] = route.number;
      const { method, segments } = shape.value;
      const selected = { route: policy.route(method, segments), beside: candidate?.route(method, segments) };
      const question = { attributes, shape: shape.value, ...selected, snapshot, deps };
      known.store(key, new Known(recallKey(question), guardOf(attributes, settings)));
    },
  };

  function settledFor(caller: Known, entry: CachedDecision): Settled {
    const grpc = entry.decision.verdict.kind === 'deny' && seen.grpc;
    const ready = caller.settled;
    if (ready !== undefined && ready.entry === entry && ready.grpc === grpc) {
      caller.used = true;
      return ready;
    }
    const settled = new Settled(entry, grpc, settings, snapshot, caller.guard);
    if (ready !== undefined || shelf.admit(caller)) {
      settled.prepare();
      caller.settled = settled;
    }
    return settled;
  }
}

/** Where a caller's decision about a route is found. */
class Known implements Shelved {
  used = false;
  settled: Settled | undefined;

  constructor(
    readonly key: string,
    readonly guard: SpiffeId | undefined,
  ) {}

  drop(): void {
    this.settled = undefined;
  }
}

/** Only of such texts the bytes say everything, in whatever encoding they came. */
function areAllPlain(attributes: Attributes, credentials: readonly string[]): boolean {
  const { principal, certificate, destinationPrincipal, headers } = attributes;
  const told = [FORWARDED_HEADER, ...credentials].flatMap((name) => headers.all(name));
  return [principal, certificate, destinationPrincipal, ...told].every(isPlain);
}
