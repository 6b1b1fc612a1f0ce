import { MODE_KEY, SCOPES_KEY, wrongWithAnnotation } from '../policy/annotations.js';
import type { OwnerRight } from '../model/settings.js';
import type { Problem } from '../policy/issue.js';
import { distance } from '../model/nearest.js';

/**
 * What is wrong with one annotation, wherever it stands: what the guard says, and near misses that the guard would take for
 * another tool's. In: key and value. Out: the problem, or undefined.
 */
const [PREFIX = '', NAME = ''] = SCOPES_KEY.split('/');
const NAMES: readonly string[] = [NAME, 'owner', 'data', 'mode'];

export const isOurs = (key: string): boolean => key.toLowerCase().startsWith(`${PREFIX}/`);

/** Three mistakes at most: `firsthand.io`, `firsthnd.dev`, `first-hand.dev`. */
const NEAR = 3;

export const isNearMiss = (key: string): boolean => {
  const [prefix = '', name = '', ...more] = key.toLowerCase().split('/');
  // Managed fields name annotations as `f:…`.
  const other = prefix === PREFIX || prefix.length > PREFIX.length * 2 || !/^[a-z0-9.-]+$/.test(prefix);
  if (more.length > 0 || other) return false;
  return name === '' ? isBareNearMiss(prefix) : NAMES.includes(name) && distance(prefix, PREFIX) <= NEAR;
};

/** `firsthand.dev.scopes`: a dot instead of the slash. */
const isBareNearMiss = (key: string): boolean => NAMES.some((name) => key === `${PREFIX}.${name}`);

/** What the operator lets owners write; undefined where no configuration tells. */
export type Rights = readonly OwnerRight[] | undefined;

export function wrongWith(key: string, value: string, rights: Rights): Problem | undefined {
  if (!isNearMiss(key)) return wrongWithAnnotation(key, value, rights);
  const name = NAMES.find((known) => key.toLowerCase().endsWith(known)) ?? NAME;
  const message = `the guard takes ${JSON.stringify(key)} for another tool's annotation`;
  return { code: 'annotation_unknown', message, hint: `did you mean ${PREFIX}/${name}?` };
}

/** `shadow` is not in the default of policy.ownersMay either: worth saying where nobody knows. */
export const needsLeave = (key: string, value: string, rights: Rights): Problem | undefined =>
  key !== MODE_KEY || value !== 'shadow' || rights !== undefined
    ? undefined
    : {
        code: 'right_missing',
        message: `${key}: shadow is refused unless the operator lists it in policy.ownersMay`,
        hint: 'give --config to check it',
      };
