/** What would make the chain of hops stand: the own element, the links, who may speak for whom, and who stands behind. */
import { parseSpiffeId } from '../model/ids.js';
import type { SpiffeId } from '../model/ids.js';
import { elementsBehind, elementsOf, behindPeer } from './behind.js';
import { byLine, lineName, matchesSome, patternFor, refusingLine } from './case.js';
import type { Case } from './case.js';
import { byConfig, no, remedy, together } from './change.js';
import type { Change, Remedy } from './change.js';

const MODES = { 'append-forward': 'APPEND_FORWARD', 'sanitize-set': 'SANITIZE_SET' } as const;

export function unanchored(told: Case): Remedy {
  const { xfcc } = told.context.settings.origin;
  const elements = elementsOf(told) ?? [];
  const own = elements.at(-1);
  if (own === undefined && (xfcc === 'append-forward' || xfcc === 'sanitize-set'))
    return remedy(
      `the listener in front of the guard must write its own element, as origin.xfcc says: forward_client_cert_details: ${MODES[xfcc]} with uri: true (or set origin.xfcc to what it does)`,
      { kind: 'envoy', at: 'guard', setting: 'forward_client_cert_details', value: MODES[xfcc] },
    );
  if (own?.uri.length === 0)
    return remedy(
      "the listener in front of the guard must write the caller's URI: set_current_client_cert_details.uri: true",
      { kind: 'envoy', at: 'guard', setting: 'set_current_client_cert_details.uri', value: 'true' },
    );
  return no(
    'none: the newest x-forwarded-client-cert element is not about this connection, as with a forged one; the listener must be in the mode that origin.xfcc says, and the guard must be told the right workload',
  );
}

export function broken(told: Case): Remedy {
  const { forwarder, by, uris } = firstBreak(told) ?? {};
  if (forwarder !== undefined && by === forwarder && uris === 0)
    return remedy(`${forwarder} must forward its caller's URI: set_current_client_cert_details.uri: true`, {
      kind: 'envoy',
      at: forwarder,
      setting: 'set_current_client_cert_details.uri',
      value: 'true',
    });
  return no(
    `none: ${forwarder ?? 'a forwarder'} did not write the element behind it, as with a forged chain; it must verify its callers and use SANITIZE_SET or APPEND_FORWARD`,
  );
}

/** The element at which the walk stops, and whose it should be. */
function firstBreak(
  told: Case,
): { readonly forwarder: SpiffeId; readonly by: string | undefined; readonly uris: number } | undefined {
  const { peer } = told.outcome.findings;
  const { forwarders } = told.context.settings.origin;
  let current = peer?.id;
  for (const element of elementsBehind(told).toReversed()) {
    if (current === undefined || !forwarders.has(current)) return undefined;
    const next = element.uri.length === 1 ? parseSpiffeId(element.uri[0] ?? '') : undefined;
    if (element.by[0] !== current || element.by.length !== 1 || next === undefined)
      return { forwarder: current, by: element.by[0], uris: element.uri.length };
    current = next;
  }
  return undefined;
}

export function tooLong(told: Case): Remedy {
  const { maxHops } = told.context.settings.origin;
  const hops = behindPeer(told)?.forwarders.length;
  if (hops === undefined) return no(`none: more than ${maxHops} forwarders, and they do not link`);
  return byConfig(
    `${hops} forwarders stand between, ${maxHops} are accepted: if the mesh really has so many, the operator raises origin.maxHops`,
    ['origin', 'maxHops'],
    hops,
  );
}

/** Of this forwarder in the configuration's list: the entries have its order. */
const placeOf = ({ context }: Case, id: SpiffeId): number => [...context.settings.origin.forwarders.keys()].indexOf(id);

export function forwarderRefused(told: Case): Remedy {
  const walk = behindPeer(told);
  if (walk === undefined) return notBehind(told);
  const { origin, forwarders } = walk;
  const { guard } = told.outcome;
  if (origin === undefined) return no('none: a forwarder spoke for somebody that it may not speak for');
  const silent = forwarders.filter(({ origins }) => !matchesSome(origins, origin, guard));
  const changes = silent.map(({ id, origins }): Change => ({
    kind: 'config',
    path: ['origin', 'forwarders', placeOf(told, id), 'origins'],
    value: [...origins.map(({ text }) => text), origin],
  }));
  const who = silent.map(({ id }) => id).join(' and ');
  return remedy(
    `none, if ${who} has no business to speak for ${origin}: then somebody uses it as a stepping stone. Else the operator adds ${origin} to its origins`,
    together(changes),
  );
}

/** Two forwarders one behind the other that nobody listed so. */
function notBehind(told: Case): Remedy {
  const { forwarders } = told.context.settings.origin;
  let nearer = told.outcome.findings.peer?.id;
  const changes: Change[] = [];
  for (const element of elementsBehind(told).toReversed()) {
    const settings = nearer && forwarders.get(nearer);
    const farther = parseSpiffeId(element.uri[0] ?? '');
    if (settings === undefined || farther === undefined || !forwarders.has(farther)) break;
    if (!settings.behind.has(farther))
      changes.push({
        kind: 'config',
        path: ['origin', 'forwarders', placeOf(told, settings.id), 'behind'],
        value: [...settings.behind, farther],
      });
    nearer = farther;
  }
  return remedy(
    `none, if these proxies do not really stand one behind the other. Else the operator lists the farther one in behind of the nearer (${told.cause.detail})`,
    together(changes),
  );
}

export function outsideRefused(told: Case): Remedy {
  const { origin } = told.outcome.findings;
  const line = refusingLine(told);
  const behind = origin?.kind === 'outside' ? origin.behind : undefined;
  if (behind === undefined || line === undefined)
    return no(
      'none: no workload stands behind the forwarder, and no line lets traffic from beyond the mesh in; a workload must call through it with a certificate that it forwards, or the owner declares the route',
    );
  const who = patternFor(behind, told.outcome.guard);
  if (line.scopes.kind === 'workload')
    return no(
      `none: ${lineName(told)} is for workloads, and nobody stands behind ${who}; the caller must come with a certificate that the forwarder verifies and forwards`,
    );
  const unbound = told.context.settings.tokens.filter(({ binding }) => binding === 'none');
  if (unbound.length === 0)
    return no(
      `none: ${lineName(told)} asks for a token, and no issuer's tokens can be used without a workload to bind them to; the caller must come with a certificate that ${who} verifies and forwards`,
    );
  const from = [...(line.conditions.from?.origins.map(({ text }) => text) ?? everybody(told))];
  const outside = line.conditions.from?.outside.map(({ text }) => `outside@${text}`) ?? [];
  return byLine(
    told,
    `${lineName(told)} lets workloads in, and nobody stands behind ${who}. If the route is meant for traffic from beyond the mesh, the owner adds outside@${who} to its from=`,
    `from=${[...from, ...outside, `outside@${who}`].join(',')}`,
  );
}

/** What no `from=` means, in words of `from=`: every workload of every trust domain that is configured. */
const everybody = ({ context }: Case): string[] =>
  [...context.settings.trust.keys()].map((domain) => `spiffe://${domain}/**`);
