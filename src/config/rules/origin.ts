/** What `workload`, `trust` and `origin` demand of each other. */
import { parseTrustDomain, trustDomainOf } from '../../model/ids.js';
import type { SpiffeId } from '../../model/ids.js';
import { childOf, find, written } from '../node.js';
import type { Node } from '../node.js';
import type { Config } from '../schema.js';
import { either, quote } from '../words.js';
import type { Places } from './rule.js';

/** Names of the trust domains as written, also of entries that have another mistake. */
function trustEntries(places: Places): readonly [string, Node][] {
  const { node, exact } = find(places.tree, ['trust']);
  return exact && node.kind === 'map' ? [...node.entries] : [];
}

export function checkTrust(_config: Config, places: Places): void {
  const entries = trustEntries(places);
  if (entries.length === 0 && !places.isTouched(['trust']))
    places.report(
      ['trust'],
      'expected at least one trust domain, got none',
      'for example prod.example: { bundle: prod.example.pem }',
    );
  for (const [name, node] of entries) {
    if (!isUnfilled(name) && parseTrustDomain(name) === undefined)
      places.reportAt(
        node.keyAt ?? node.at,
        `${node.name}: expected a trust domain name, got ${quote(name)}`,
        'lower case, no scheme, no path: prod.example',
      );
  }
}

/** A key whose `${NAME}` could not be filled in: reported already, and it could have been any name. */
const isUnfilled = (name: string): boolean => name.includes('${');

export function checkWorkload(config: Config, places: Places): void {
  if (config.workload === null) return;
  const domain = trustDomainOf(config.workload);
  const known = trustEntries(places).map(([name]) => name);
  if (known.length === 0 || known.includes(domain) || known.some(isUnfilled)) return;
  places.report(
    ['workload'],
    `the trust domain ${quote(domain)} is not configured in trust`,
    `configured: ${known.map(quote).slice(0, 5).join(', ')}`,
  );
}

/** Where the peer comes from and what the listener does to XFCC have to fit: contract, section 5. */
const FITTING = {
  certificate: ['append-forward', 'sanitize-set', 'forward-only', 'ignore'],
  xfcc: ['append-forward', 'sanitize-set'],
  principal: ['append-forward', 'sanitize-set'],
} as const satisfies Record<Config['origin']['peer'], readonly Config['origin']['xfcc'][]>;

export function checkPeer(config: Config, places: Places): void {
  const { peer, xfcc } = config.origin;
  const fitting: readonly string[] = FITTING[peer];
  if (fitting.includes(xfcc) || places.isTouched(['origin', 'peer'], ['origin', 'xfcc'])) return;
  places.report(
    ['origin', 'xfcc'],
    `expected ${either(fitting)} with peer: ${peer}, got ${quote(xfcc)}`,
    'peer: certificate goes with every xfcc; xfcc and principal with append-forward and sanitize-set',
  );
}

export function checkForwarders(config: Config, places: Places): void {
  const { forwarders } = config.origin;
  const first = new Set<SpiffeId>();
  forwarders.forEach(({ id }, index) => {
    const path = ['origin', 'forwarders', index, 'id'];
    if (first.has(id)) places.report(path, `the forwarder ${quote(id)} is listed twice`, 'keep one entry');
    first.add(id);
  });
  const listed = writtenIds(places);
  if (listed === undefined) return;
  forwarders.forEach(({ behind }, index) =>
    behind.forEach((id, position) => {
      const path = ['origin', 'forwarders', index, 'behind', position];
      const hint = 'add an entry with this id to origin.forwarders';
      if (!listed.has(id)) places.report(path, `expected a listed forwarder, got ${quote(id)}`, hint);
    }),
  );
}

/** IDs of all entries, also of those with another mistake; undefined where one of the IDs is the mistake. */
function writtenIds(places: Places): ReadonlySet<unknown> | undefined {
  const entries = written(places.tree, ['origin', 'forwarders']);
  const ids = entries.map((entry) => childOf(places.tree, entry, 'id'));
  if (ids.some((id) => id === undefined || places.tree.wrong.has(id))) return undefined;
  return new Set(ids.map((id) => (id?.kind === 'scalar' ? id.value : undefined)));
}
