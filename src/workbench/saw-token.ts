/** What steps 4 to 6 saw: the token, what ties it to its presenter, and what is remembered. Never the token itself. */
import type { TokenText } from '../model/evidence.js';
import type { VerifiedToken } from '../model/token.js';
import type { Scene } from './scene.js';
import { shown, shownList } from './shown.js';
import { dateText, spanText } from '../model/duration.js';
import { sourceText } from './story-context.js';
import type { StoryContext } from './story-context.js';

export function sawToken({ outcome, context }: Scene): string[] {
  const { token, presented } = outcome.findings;
  if (token !== undefined) return sawVerified(token, outcome.time, keysFrom(token.issuer.issuer, context));
  if (presented === undefined) {
    const places = [...new Set(context.settings.tokens.map(({ from }) => from))];
    return [`no token in ${places.join(' or ')}`];
  }
  return sawClaimed(presented, outcome.time);
}

/** More is in the audit record. */
const MAX_ACTORS = 8;

function keysFrom(issuer: string, { versions }: StoryContext): string[] {
  const source = versions.find(({ what, name }) => what === 'keys' && name === issuer)?.source;
  return source === undefined ? [] : [`its key is from ${sourceText(source)}`];
}

function sawVerified(token: VerifiedToken, now: number, keys: readonly string[]): string[] {
  const { issuer, kid, subject, actors, warnAfter, scopes, claims, issuedAt, expires } = token;
  const aud = listOf(claims['aud']);
  const carried = carriedScopes(token);
  const cut = carried.filter((scope) => !scopes.includes(scope));
  return [
    `issuer ${shown(issuer.issuer)}, key ${shown(kid, 80)}, audience ${shownList(aud)}`,
    ...keys,
    ...(subject === undefined ? [] : [`subject ${shown(subject)}`]),
    ...(actors.length === 0
      ? []
      : [
          `acted for by ${actors
            .slice(0, MAX_ACTORS)
            .map((actor) => shown(actor, 120))
            .join(', then ')}; that grants nothing`,
        ]),
    `scopes held: ${scopes.length === 0 ? 'none' : shownList(scopes, 20)}`,
    ...(cut.length === 0 ? [] : [`taken away by the issuer's grants: ${shownList(cut)}`]),
    `${spanText(now - issuedAt)} old, ${expires < now ? `expired ${spanText(now - expires)} ago` : `expires in ${spanText(expires - now)}`}`,
    ...(warnAfter === undefined || now < warnAfter
      ? []
      : [`should have been renewed ${spanText(now - warnAfter)} ago (warnafter)`]),
    `name ${token.name}`,
  ];
}

/** Before the cut to the grants. */
function carriedScopes({ issuer, claims }: VerifiedToken): readonly string[] {
  const claim = issuer.scopeClaims.find((name) => Object.hasOwn(claims, name));
  return claim === undefined ? [] : listOf(claims[claim]).filter((scope) => scope !== '');
}

function listOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split(' ');
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** The token was refused: its own words, and that they are no more. */
function sawClaimed({ header, claimed, place, name }: TokenText, now: number): string[] {
  const { iss, aud, exp } = claimed;
  const times = typeof exp === 'number' ? [`says it expires ${relative(exp * 1000, now)}`] : [];
  return [
    `a token in ${place}; what it says is not verified`,
    `says issuer ${typeof iss === 'string' ? shown(iss) : 'none'}, key ${shown(header.kid ?? 'none', 80)}, algorithm ${shown(header.alg, 20)}, type ${shown(header.typ ?? 'none', 40)}`,
    `says audience ${shownList(listOf(aud)) || 'none'}`,
    ...times,
    `name ${name}`,
  ];
}

const relative = (time: number, now: number): string =>
  `${time < now ? `${spanText(now - time)} ago` : `in ${spanText(time - now)}`}, at ${dateText(time)}`;

export function sawBinding({ outcome }: Scene): string[] {
  const { token, bound, origin } = outcome.findings;
  const mode = `binding ${token?.issuer.binding ?? ''}`;
  const who = origin?.kind === 'workload' ? shown(origin.id) : 'outside';
  switch (bound?.method) {
    case 'exact':
      return [`${mode}: its cnf is the certificate of ${who} (exact)`];
    case 'window':
      return [`${mode}: ${who} has renewed the certificate that its cnf names (window)`];
    case 'identity':
      return [`${mode}: it names ${who} (identity)`];
    case 'pin':
      return [`${mode}: nothing in it names its presenter; it belongs to who presents it first, here ${who} (pin)`];
    case 'none':
      return [`${mode}: tied to nobody`];
    case undefined: {
      const has = token !== undefined && Object.hasOwn(token.claims, 'cnf') ? 'a' : 'no';
      const sha256 = origin?.kind === 'workload' ? (origin.sha256 ?? 'not told') : 'none';
      return [`${mode}: it has ${has} cnf`, `presented by ${who}, certificate sha256 ${sha256}`];
    }
  }
}

export function sawState({ outcome }: Scene): string[] {
  const { origin, token, route } = outcome.findings;
  const names = (origin?.chain.length ?? 0) + (origin?.certificates.length ?? 0);
  const asked = `revocations asked for ${names} identities and certificates${token === undefined ? '' : ', the token, its key, subject and issuer'}`;
  const once = [route?.line, ...(route?.guardrails ?? [])].some((line) => line?.conditions.once === true);
  return [asked, ...(once ? ['each token counts once here (once)'] : [])];
}
