/**
 * A throw-away world for a scenario: an authority for each configured trust domain and an issuer for each configured one,
 * in place of the real ones. In: settings, a clock. Out: CheckRequests as the configured listener's Envoy would send them,
 * really signed, and the bundles and keys with which the engine really verifies them. What is configured stays as it is;
 * a scenario that it refuses is refused here too. It decides nothing.
 */
import { randomBytes } from 'node:crypto';
import { trustDomainOf } from '../model/ids.js';
import type { SpiffeId, TrustDomain } from '../model/ids.js';
import type { Bundle, FindBundle, FindKeys, VerificationKey } from '../model/ports.js';
import type { IssuerSettings, Settings } from '../model/settings.js';
import { FORWARDED_HEADER } from '../request/shape.js';
import { readJwks } from '../state/jwks.js';
import { readBundle } from '../state/trust-bundle.js';
import { CHECK_REQUEST } from '../wire/proto.js';
import { createAuthority } from './forge-authority.js';
import type { Authority, Svid } from './forge-authority.js';
import { forwardedHeader } from './forge-forwarded.js';
import { claimsOf, createIssuer, strangerAs } from './forge-issuer.js';
import type { ForgedIssuer, Presenter } from './forge-issuer.js';
import {
  forwarderNamed,
  guardedWorkload,
  isProblem,
  issuerNamed,
  OUTSIDE,
  scenarioProblem,
  workloadNamed,
} from './names.js';
import type { Problem } from './names.js';
import type { Scenario, ScenarioToken } from './scenario.js';

export interface Forge {
  /** Bytes of a CheckRequest, really signed. Throws where `scenarioProblem` of names.ts has something to say. */
  request(scenario: Scenario): Promise<Buffer>;
  readonly findBundle: FindBundle;
  readonly findKeys: FindKeys;
  /** PEM of each trust domain's root: public. */
  readonly bundles: ReadonlyMap<TrustDomain, string>;
  /** JWK Set of each issuer: public. */
  readonly keys: ReadonlyMap<string, string>;
}

type Line = readonly [name: string, value: string];

export async function createForge(settings: Settings, now: () => number): Promise<Forge> {
  const authorities = new Map<TrustDomain, Authority>();
  for (const [domain, { maxCertificateLifetime }] of settings.trust)
    authorities.set(domain, await createAuthority(domain, maxCertificateLifetime, now));
  const bundles = new Map([...authorities].map(([domain, { root }]) => [domain, root]));
  const issuers = new Map<IssuerSettings, ForgedIssuer>();
  for (const [index, issuer] of settings.tokens.entries())
    issuers.set(issuer, await createIssuer(issuer, `throw-away-${index + 1}`));
  const keys = keySetsOf(issuers);
  const svidOf = async (id: SpiffeId): Promise<Svid> => {
    const domain = trustDomainOf(id);
    // Of a domain that is not configured: signed by somebody whom nobody trusts.
    const authority = authorities.get(domain) ?? (await createAuthority(domain, null, now));
    return authority.svid(id);
  };
  const tokenOf = async (token: ScenarioToken, presenter: Presenter): Promise<Line> => {
    const named = must(issuerNamed(token, settings));
    const issuer = typeof named === 'string' ? strangerAs(named, settings.tokens[0]) : named;
    const signer = issuers.get(issuer) ?? (await createIssuer(issuer, 'stranger-1'));
    const text = await signer.sign(claimsOf(token, issuer, presenter, now()));
    return [issuer.from, issuer.from === 'authorization' ? `Bearer ${text}` : text];
  };
  return {
    request: async (scenario) => {
      const problem = scenarioProblem(scenario, settings);
      if (problem !== undefined) throw new Error(problem.problem);
      const origin = scenario.as === OUTSIDE ? undefined : await svidOf(must(workloadNamed(scenario.as, settings)));
      const via = await Promise.all(scenario.via.map((name) => svidOf(must(forwarderNamed(name, settings)))));
      const token = scenario.token && (await tokenOf(scenario.token, presenterOf(origin)));
      return encode(scenario, origin, via, token, settings);
    },
    findBundle: anchorsIn(bundles),
    findKeys: await keysIn(keys),
    bundles,
    keys,
  };
}

/** Outside may hold a certificate of its own; nobody in the mesh has seen it. */
const presenterOf = (origin: Svid | undefined): Presenter => ({
  id: origin?.id,
  sha256: origin?.sha256 ?? randomBytes(32),
});

function must<T>(found: T | Problem): T {
  if (isProblem(found)) throw new Error(found.problem);
  return found;
}

/** Entries of one issuer share a set, as their `iss` is what a verifier knows them by. */
function keySetsOf(issuers: ReadonlyMap<IssuerSettings, ForgedIssuer>): ReadonlyMap<string, string> {
  const names = [...new Set([...issuers.keys()].map(({ issuer }) => issuer))];
  const setOf = (name: string): string =>
    JSON.stringify({ keys: [...issuers].flatMap(([{ issuer }, { jwk }]) => (issuer === name ? [jwk] : [])) });
  return new Map(names.map((name) => [name, setOf(name)]));
}

function anchorsIn(bundles: ReadonlyMap<TrustDomain, string>): FindBundle {
  const read = new Map<TrustDomain, Bundle>();
  for (const [domain, pem] of bundles) {
    const bundle = readBundle(pem);
    if (!bundle.ok) throw new Error(`the throw-away root of ${domain}: ${bundle.problem}`);
    read.set(domain, { anchors: bundle.anchors, intermediates: [] });
  }
  return (domain) => read.get(domain) ?? 'unknown';
}

async function keysIn(sets: ReadonlyMap<string, string>): Promise<FindKeys> {
  const read = new Map<string, ReadonlyMap<string, VerificationKey>>();
  for (const [issuer, set] of sets) {
    const jwks = await readJwks(set);
    if (!jwks.ok) throw new Error(`the throw-away keys of ${issuer}: ${jwks.problem}`);
    read.set(issuer, jwks.keys);
  }
  return ({ issuer }) => read.get(issuer) ?? 'unavailable';
}

function encode(
  scenario: Scenario,
  origin: Svid | undefined,
  via: readonly Svid[],
  token: Line | undefined,
  settings: Settings,
): Buffer {
  const guard = guardedWorkload(settings);
  const { method, path, host = defaultHost(guard) } = scenario;
  const callers = origin === undefined ? via : [origin, ...via];
  const peer = callers.at(-1);
  const sent = scenario.headers.find(([name]) => isForwarded(name))?.[1];
  const forwarded = forwardedHeader({ callers, outside: origin === undefined, guard, sent }, settings.origin);
  const lines: readonly Line[] = [
    [':method', method],
    [':path', path],
    [':authority', host],
    ...(forwarded === undefined ? [] : [[FORWARDED_HEADER, forwarded] as const]),
    ...(token === undefined ? [] : [token]),
    ...scenario.headers.filter(([name]) => !isForwarded(name)),
  ];
  const headers = lines.map(([key, value]) => ({ key: key.toLowerCase(), raw_value: Buffer.from(value) }));
  const certificate = peer !== undefined && settings.origin.peer === 'certificate' ? encodeURIComponent(peer.pem) : '';
  return CHECK_REQUEST.serialize({
    attributes: {
      source: { principal: peer?.id ?? '', certificate },
      destination: { principal: guard },
      request: { http: { method, path, host, header_map: { headers } } },
    },
  });
}

const isForwarded = (name: string): boolean => name.toLowerCase() === FORWARDED_HEADER;

/** RFC 6761 §6.4: a host that no `host=` names. */
const defaultHost = (guard: SpiffeId): string => `${guard.slice(guard.lastIndexOf('/') + 1).toLowerCase()}.invalid`;
