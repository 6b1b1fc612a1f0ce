/** What the entries of `tokens` demand of each other. */
import { SPIFFE_KEYS } from '../leaves.js';
import { childOf, find, written } from '../node.js';
import type { Node, Path } from '../node.js';
import type { Config, TokenConfig } from '../schema.js';
import { SVID_TYPES } from '../settings.js';
import { quote } from '../words.js';
import type { Places } from './rule.js';

export function checkTokens(config: Config, places: Places): void {
  checkAmbiguous(config.tokens, places);
  checkGrants(places);
  config.tokens.forEach((token, index) => checkNamed(token, ['tokens', index], places));
}

/** What asks for the workload that a token names can only hold where something says which one that is. */
function checkNamed({ identity, binding, domains }: TokenConfig, entry: Path, places: Places): void {
  const at = (key: string): Path => [...entry, key];
  if (places.isTouched(at('identity'), at('binding'), at('domains'))) return;
  // window still means exact without one.
  if (identity === null && binding === 'identity')
    places.report(
      at('binding'),
      'expected identity beside binding: identity, got none',
      'say which workload a token names, for example identity: "{sub}" or identity: kubernetes',
    );
  if (identity?.kind === 'kubernetes' && domains !== null && domains.length > 1)
    places.report(
      at('domains'),
      `expected one trust domain with identity: kubernetes, got ${domains.length}`,
      'a service account has no trust domain of its own; write an entry for each cluster',
    );
}

/** A token is matched to its entry by issuer, type and place: only one entry may fit. */
function checkAmbiguous(tokens: readonly TokenConfig[], places: Places): void {
  const taken = new Map<string, string>();
  tokens.forEach((token, index) => {
    const { name } = find(places.tree, ['tokens', index]).node;
    for (const type of typesOf(token)) {
      const key = JSON.stringify([token.issuer, token.from, type]);
      const other = taken.get(key);
      if (other === undefined) taken.set(key, name);
      else {
        const message = `the issuer ${quote(token.issuer)} already takes typ ${quote(type)} from ${quote(token.from)}`;
        places.report(['tokens', index], message, `${other} does; give one of them other types or another from`);
        return;
      }
    }
  });
}

/** JWT-SVID §2.3 says which types its keys sign; what is written counts for the others. */
const typesOf = ({ keys, types }: TokenConfig): readonly string[] =>
  keys.startsWith(SPIFFE_KEYS) ? SVID_TYPES : types;

/**
 * With several issuers, each must say what it can give at most: else the weakest could give everything. Looks at the
 * entries as written, so that another mistake in one of them hides nothing.
 */
function checkGrants(places: Places): void {
  const entries = written(places.tree, ['tokens']);
  if (new Set(entries.map((entry) => textOf(places, entry, 'issuer'))).size < 2) return;
  for (const entry of entries) {
    const grants = entry.kind === 'map' ? entry.entries.get('grants') : undefined;
    if (entry.kind !== 'map' || (grants !== undefined && !isNull(grants))) continue;
    places.reportAt(
      grants?.at ?? entry.at,
      `${entry.name}.grants is required where tokens names several issuers: expected a list of scope patterns`,
      'the most that this issuer can give, for example ["orders.*"]',
    );
  }
}

const isNull = (node: Node): boolean => node.kind === 'scalar' && node.value === null;

function textOf(places: Places, entry: Node, key: string): unknown {
  const child = childOf(places.tree, entry, key);
  return child?.kind === 'scalar' ? child.value : undefined;
}
