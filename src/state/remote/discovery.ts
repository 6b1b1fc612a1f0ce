/**
 * An issuer's discovery document (OpenID Connect Discovery 1.0 §3; RFC 8414 §3.2 has the same members). In: its text and the
 * issuer that was asked. Out: where its keys are. Refuses a document of another issuer, compared to the letter (§4.3),
 * since it could bring another one's keys, and keys that are not at an https URL. Reads nothing else of it.
 */
import type { Parsed } from '../source.js';

const no = (problem: string): Parsed<string> => ({ ok: false, problem });

export function discoveredKeys(text: string, issuer: string): Parsed<string> {
  const members = membersOf(text);
  if (members === undefined) return no('its discovery document is not a JSON object');
  const named = members.get('issuer');
  if (named !== issuer)
    return no(`its discovery document is of another issuer, ${shown(named)}; expected exactly ${shown(issuer)}`);
  const keys = members.get('jwks_uri');
  if (typeof keys !== 'string' || !isPlainHttps(keys))
    return no(`its discovery document has no https URL as jwks_uri, but ${shown(keys)}`);
  return { ok: true, value: keys };
}

/** https, and no name or password in it. */
export function isPlainHttps(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return protocol === 'https:' && username === '' && password === '';
}

const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 200));

function membersOf(text: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return new Map(Object.entries(value));
  } catch {
    return undefined;
  }
}
