/**
 * What method, path and host are under the policy of this moment, by their bytes. In: a glance. Out: the number of what they
 * select, the same for all requests that select the same. Worked out by the same functions as on the whole way, and kept.
 * Says nothing (number 0) where a decision may not be remembered, or the target can be read in two ways.
 */
import type { CheckDependencies } from '../ask.js';
import { requestPart } from '../audit/record-template.js';
import type { Snapshot } from '../model/snapshot.js';
import { isBlind, isRecallable, routeInputs } from '../recall.js';
import { readTarget } from '../request/shape.js';
import { createInterned } from '../state/interned.js';
import type { InternedOptions } from '../state/interned.js';
import { createTuples } from '../state/tuples.js';
import type { Seen } from '../wire/seen.js';
import { EMPTY, isPlain, numberOf, textOf } from './texts.js';

export interface KnownRoute {
  /** 0: to be decided the whole way. Never given twice. */
  readonly number: number;
  /** No token counts here, whatever it is. */
  readonly blind: boolean;
  /** How a record begins to tell of the request (audit/record-template.ts). */
  readonly told: string;
}

export interface Routes {
  find(bytes: Buffer, seen: Seen): KnownRoute;
  /** The policy is another one: what was selected before is nothing any more. */
  renew(snapshot: Snapshot): void;
  /** All numbers are given out: they begin anew. */
  clear(): void;
}

export type RoutePart = 'method' | 'path' | 'authority' | 'line' | 'guardrails' | 'candidateLine' | 'host';

/** A path with a number in it is a text of its own; a page of a browser has some hundred. */
const PATHS = { places: 16_384, maxBytes: 1024 * 1024 };
const NAMES = { places: 1024, maxBytes: 128 * 1024 };
const PLACES = 16_384;
/** Distinct routes with their hosts; callers choose hosts, so there has to be a bound. */
const MAX_ROUTES = 4096;

const NOTHING: KnownRoute = { number: 0, blind: false, told: '' };

export function createRoutes(
  { settings, snapshot: first }: Pick<CheckDependencies, 'settings' | 'snapshot'>,
  common: Pick<InternedOptions, 'seed' | 'next'>,
  without: readonly RoutePart[],
): Routes {
  const names = createInterned({ ...NAMES, ...common });
  const paths = createInterned({ ...PATHS, ...common });
  const known = createTuples<KnownRoute>(3, PLACES);
  const numbers = new Map<string, number>();
  const key = new Int32Array(3);
  const omits = (part: RoutePart): boolean => without.includes(part);
  const [noMethod, noPath, noAuthority] = [omits('method'), omits('path'), omits('authority')];
  let snapshot = first();

  const workOut = (bytes: Buffer, seen: Seen): KnownRoute => {
    const target = {
      method: textOf(bytes, seen.method, seen.methodEnd),
      path: textOf(bytes, seen.path, seen.pathEnd),
      host: textOf(bytes, seen.host, seen.hostEnd),
    };
    if (!isPlain(target.method) || !isPlain(target.path) || !isPlain(target.host)) return NOTHING;
    const read = readTarget(target);
    if (!read.ok || snapshot.policy === undefined) return NOTHING;
    const route = snapshot.policy.route(read.value.method, read.value.segments);
    const beside = snapshot.candidate?.route(read.value.method, read.value.segments);
    if (route.ambiguous || !isRecallable({ route, beside })) return NOTHING;
    const parts = Object.entries({ ...routeInputs(route, beside), host: read.value.host });
    const identity = JSON.stringify(parts.filter(([part]) => !omits(part as RoutePart)));
    return {
      number: numberFor(identity),
      blind: isBlind({ route, beside }),
      told: requestPart(target, route, settings.audit.path),
    };
  };

  const numberFor = (identity: string): number => {
    const given = numbers.get(identity);
    if (given !== undefined) return given;
    if (numbers.size >= MAX_ROUTES) numbers.clear();
    const number = common.next();
    numbers.set(identity, number);
    return number;
  };

  const forget = (): void => {
    known.clear();
    numbers.clear();
  };
  return {
    find(bytes, seen) {
      key[0] = noMethod ? EMPTY : numberOf(names, bytes, seen.method, seen.methodEnd);
      key[1] = noPath ? EMPTY : numberOf(paths, bytes, seen.path, seen.pathEnd);
      key[2] = noAuthority ? EMPTY : numberOf(names, bytes, seen.host, seen.hostEnd);
      // Too long for a number: it would be taken for every other text that is.
      if (key[0] === 0 || key[1] === 0 || key[2] === 0) return NOTHING;
      const found = known.find(key);
      if (found !== undefined) return found;
      const worked = workOut(bytes, seen);
      known.store(key, worked);
      return worked;
    },
    renew(next) {
      snapshot = next;
      forget();
    },
    clear() {
      forget();
      names.clear();
      paths.clear();
    },
  };
}
