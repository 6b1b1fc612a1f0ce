/** What keys and bundles from elsewhere demand of the keys beside them. */
import { isUrl } from '../remote-leaves.js';
import type { Config } from '../schema.js';
import type { Path } from '../node.js';
import { quote } from '../words.js';
import type { Places } from './rule.js';

export function checkSources(config: Config, places: Places): void {
  config.tokens.forEach((token, index) => {
    const path = ['tokens', index];
    const remote = isUrl(token.keys) || token.keys === 'oidc';
    if (token.keys === 'oidc') checkIssuer(token.issuer, path, places);
    if (!remote) checkUnused(token, ['keysCA', 'keysAllow'], [...path, 'keys'], places);
  });
  for (const [name, entry] of Object.entries(config.trust)) {
    if (!isUrl(entry.bundle)) checkUnused(entry, ['bundleCA', 'bundleAllow'], ['trust', name, 'bundle'], places);
  }
}

/** OpenID Connect Discovery 1.0 §2: an issuer is an https URL without query and fragment; its document is found by it. */
function checkIssuer(issuer: string, path: Path, places: Places): void {
  if (places.isTouched([...path, 'issuer'])) return;
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  const plain = url?.protocol === 'https:' && url.username === '' && url.password === '' && !/[?#]/.test(issuer);
  if (plain) return;
  places.report(
    [...path, 'issuer'],
    `with keys: oidc expected an https URL without user, query and fragment, got ${quote(issuer)}`,
    'or name the keys by their own URL',
  );
}

/** A setting without effect is a mistake about what is protected. */
function checkUnused(entry: object, names: readonly string[], source: Path, places: Places): void {
  if (places.isTouched(source)) return;
  for (const name of names) {
    const value: unknown = new Map<string, unknown>(Object.entries(entry)).get(name);
    if (value === null || (Array.isArray(value) && value.length === 0)) continue;
    places.report([...source.slice(0, -1), name], 'is for a source with an https URL only', `leave it out`);
  }
}
