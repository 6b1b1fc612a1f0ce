/** What would make a token count. A forged one: nothing. */
import { tokenIn } from '../evidence/token.js';
import { fromText } from '../model/from.js';
import type { IssuerSettings } from '../model/settings.js';
import { speaksFor } from '../origin/token.js';
import { indexOfIssuer, issuerOf, listed, lineName, refusingLine } from './case.js';
import type { Case } from './case.js';
import { byConfig, byRequest, byToken, no } from './change.js';
import type { Remedy } from './change.js';
import { shown, shownList } from './shown.js';
import { dateText, spanText, durationText } from '../model/duration.js';

export function missingToken(told: Case): Remedy {
  const [issuer] = told.context.settings.tokens;
  const line = refusingLine(told);
  if (issuer === undefined) return no('none: no issuer of tokens is configured');
  const needed = line !== undefined && 'scopes' in line.scopes ? line.scopes : undefined;
  const scopes = needed?.kind === 'any' ? needed.scopes.slice(0, 1) : (needed?.scopes ?? []);
  const which = scopes.length === 0 ? 'a token' : `a token with ${scopes.join(' ')}`;
  const where = issuer.from === 'authorization' ? 'as "authorization: Bearer …"' : `in the header ${issuer.from}`;
  return byToken(`${lineName(told)} needs a token: the caller must send ${which} from ${issuer.issuer} ${where}`, {
    scopes,
  });
}

export const malformedToken = ({ cause }: Case): Remedy =>
  byToken(
    `the caller must send the token exactly as its issuer made it (${shown(cause.detail)}); if that is what it did, the issuer is at fault`,
  );

export function wrongType(told: Case): Remedy {
  const { presented } = told.outcome.findings;
  const { tokens } = told.context.settings;
  const accepted = tokens
    .filter((entry) => entry.from === presented?.place && speaksFor(entry, presented.claimed))
    .flatMap(({ types }) => types);
  const [type] = accepted;
  if (type === undefined) return no('none: this kind of token is not accepted');
  return byToken(
    `the caller must send an access token: its issuer's tokens count with typ ${listed([...new Set(accepted)])}; a token of another kind (an ID token, a logout token) is not for this`,
    { type },
  );
}

export function unknownIssuer(told: Case): Remedy {
  const { presented } = told.outcome.findings;
  const { tokens } = told.context.settings;
  const elsewhere = tokens.find(
    (entry) => entry.from !== presented?.place && speaksFor(entry, presented?.claimed ?? {}),
  );
  if (elsewhere !== undefined)
    return byToken(`tokens of ${elsewhere.issuer} are read from ${elsewhere.from}: the caller must send it there`, {
      issuer: elsewhere.issuer,
      from: elsewhere.from,
    });
  const here = tokens.filter(({ from }) => from === presented?.place);
  const [first] = here;
  if (first === undefined) return no('none: no issuer of tokens is configured for this place');
  return byToken(
    `the caller must send ${listed(here.map(tokenOf))}; an issuer is compared to the letter, also a "/" at its end`,
    { issuer: first.issuer },
  );
}

/** An SVID is its trust domain's, by its sub; an `iss` that it has must fit all the same. */
const tokenOf = ({ issuer, keys }: IssuerSettings): string =>
  keys.kind === 'spiffe' ? `a JWT-SVID of ${keys.domain} (without iss, or with ${issuer})` : `a token of ${issuer}`;

export function wrongAlgorithm(told: Case): Remedy {
  const alg = told.outcome.findings.presented?.header.alg ?? '';
  const issuer = issuerOf(told);
  const [algorithm] = issuer?.algorithms ?? [];
  if (/^none$/i.test(alg) || /^HS/i.test(alg) || algorithm === undefined)
    return no(`none: no issuer signs with ${shown(alg, 20)}, so the token is forged; look at who sent it`);
  return byToken(
    `the issuer must sign with ${listed(issuer?.algorithms ?? [])}; where it has gone over to ${shown(alg, 20)}, the operator adds that to its algorithms`,
    { algorithm },
  );
}

export function unknownKey(told: Case): Remedy {
  const issuer = issuerOf(told);
  const kids = issuer && told.context.kidsOf(issuer.issuer);
  if (issuer === undefined || kids === undefined || kids.length === 0)
    return no('none: the issuer’s key file lists no key, so that nothing it signed is trusted any more');
  return byToken(
    `the token must be signed with one of the keys that are loaded (kid ${shownList(kids)}); where the issuer has just changed its keys, ${fromText(issuer.keys)} must follow; a kid that the issuer never had is a forged token`,
  );
}

export const badSignature = (): Remedy =>
  no('none: the token was altered, or signed by somebody else; look at who sent it');

export function wrongAudience(told: Case): Remedy {
  const [audience, ...others] = issuerOf(told)?.audiences ?? [];
  if (audience === undefined) return no('none: no audience is accepted');
  return byToken(
    `the token is meant for another service: the caller must ask for one whose aud is ${listed([audience, ...others])}; widening audiences would let tokens for other services in`,
    { audience },
  );
}

export const expiredToken = (): Remedy => byToken('the caller must fetch a new token');

export const earlyToken = ({ cause, outcome }: Case): Remedy => {
  const time = Date.parse(/\d{4}-\S+Z/.exec(cause.detail)?.[0] ?? '');
  const ahead = Number.isNaN(time)
    ? ''
    : ` (${spanText(time - outcome.time)} from the guard's now, ${dateText(outcome.time)})`;
  return byToken(
    `compare the clocks of the issuer and of the guard${ahead}; else the caller waits, or fetches a token that is valid now`,
  );
};

export function longToken(told: Case): Remedy {
  const max = issuerOf(told)?.maxLifetime;
  if (max === undefined) return no('none: the token lives longer than the operator accepts');
  return byToken(
    `the issuer must give a token that lives at most ${durationText(max)} (tokens[].maxLifetime is the operator's)`,
    { lifetime: max },
  );
}

export function revokedToken({ cause }: Case): Remedy {
  if (/^the (?:token|jti) is/.test(cause.detail))
    return byToken(
      'this one token was revoked: the caller fetches a new one; look first why it was revoked, a stolen token looks the same',
    );
  return no(
    `none: ${shown(cause.detail)}, so new tokens of it count as little; only "firsthand unrevoke" or the revocation's own end changes that, and who revoked it knows why`,
  );
}

export const usedToken = (told: Case): Remedy =>
  byToken(
    `${lineName(told)} takes each token once: the caller fetches a new token for each call (a retry of Envoy's is a second call)`,
  );

export function twoTokens(told: Case): Remedy {
  const { attributes, context } = told;
  const places = [...new Set(context.settings.tokens.map(({ from }) => from))];
  const holding = places.filter((place) => {
    const read = attributes && tokenIn(attributes.headers, [place]);
    return read !== undefined && !(read.ok && read.value === undefined);
  });
  const [kept, ...others] = holding;
  if (kept === undefined) return no('none: the request carries more than one token');
  return byRequest(
    `the caller must send one token: in ${kept}, without ${others.join(', ')} (or the other way round)`,
    {
      without: others,
    },
  );
}

export function strangePresenter(told: Case): Remedy {
  const { origin, token } = told.outcome.findings;
  const issuer: IssuerSettings | undefined = token?.issuer;
  if (issuer === undefined || origin?.kind !== 'workload') return no('none: this caller may not present such tokens');
  return byConfig(
    `none, if ${origin.id} has no business with tokens of ${issuer.issuer}: then it holds somebody else's. Else the operator adds it to presenters (a pattern, unless it is to share tokens with others that are listed literally)`,
    ['tokens', indexOfIssuer(told, issuer), 'presenters'],
    [...issuer.presenters.map(({ text }) => text), origin.id],
  );
}
