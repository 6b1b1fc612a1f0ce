/**
 * The request with another token: like the one that came, but for what the change names, its times and its id. In: the
 * change, the world. Out: the world with a token whose signature is taken for granted, or why there is none.
 */
import { randomUUID } from 'node:crypto';
import { tokenIn } from '../evidence/token.js';
import type { Claims, TokenText } from '../model/evidence.js';
import { parseSha256Hex } from '../model/ids.js';
import type { IssuerSettings, Settings } from '../model/settings.js';
import type { TokenChange } from './change.js';
import { identityClaims } from './forge-identity.js';
import { claimsOf } from './forge-issuer.js';
import { SUPPOSED_KEY, supposing, withLines } from './supposed.js';
import type { Supposed, Unknown } from './supposed.js';

export function supposeToken(change: TokenChange, world: Supposed): Supposed | Unknown {
  const { settings } = world.context;
  const old = presentedIn(world);
  if (old === undefined && change.scopes === undefined)
    return { unknown: 'the token can not be read, so what a new one of the same kind says is not known' };
  const issuer = issuerFor(change, old, settings);
  if (issuer === undefined) return { unknown: 'no issuer of tokens is configured' };
  const header = {
    alg: change.algorithm ?? old?.header.alg ?? issuer.algorithms[0] ?? 'ES256',
    typ: change.type ?? (old === undefined ? issuer.types[0] : old.header.typ),
    kid: SUPPOSED_KEY,
  };
  return withToken(header, claimsFor(change, old, issuer, world), issuer.from, world);
}

/** The very token that came, where only its keys were missing. */
export function resigned(world: Supposed): Supposed {
  const old = presentedIn(world);
  if (old === undefined) return world;
  const next = withToken({ ...old.header, kid: SUPPOSED_KEY }, { ...old.claimed }, old.place, world);
  return supposing('the signature of the token holds', next);
}

/** The token that came, bound to another certificate where it was bound to this one; its signature stays its own. */
export function rebound(from: string, to: string, world: Supposed): Supposed {
  const old = presentedIn(world);
  const cnf: unknown = old?.claimed['cnf'];
  if (old === undefined || typeof cnf !== 'object' || cnf === null || !('x5t#S256' in cnf)) return world;
  if (cnf['x5t#S256'] !== digestText(from)) return world;
  const claims = { ...old.claimed, cnf: { ...cnf, 'x5t#S256': digestText(to) } };
  const original = world.token === undefined ? old.text : world.token.original;
  return withToken({ ...old.header }, claims, old.place, world, original);
}

const digestText = (sha256: string): string => Buffer.from(sha256, 'hex').toString('base64url');

function presentedIn({ attributes, context }: Supposed): TokenText | undefined {
  const places = [...new Set(context.settings.tokens.map(({ from }) => from))];
  const read = tokenIn(attributes.headers, places);
  return read.ok ? read.value : undefined;
}

function issuerFor(change: TokenChange, old: TokenText | undefined, { tokens }: Settings): IssuerSettings | undefined {
  const iss = change.issuer ?? old?.claimed['iss'];
  const from = change.from ?? old?.place;
  return (
    tokens.find((each) => each.issuer === iss && each.from === from) ??
    tokens.find((each) => each.issuer === iss) ??
    tokens[0]
  );
}

/** Anew in each token. */
const OWN = ['iat', 'exp', 'nbf', 'jti'] as const;

function claimsFor(change: TokenChange, old: TokenText | undefined, issuer: IssuerSettings, world: Supposed): Claims {
  const { origin } = world.outcome.findings;
  const caller = origin?.kind === 'workload' ? origin : undefined;
  const sha256 = Buffer.from(parseSha256Hex(caller?.sha256 ?? '') ?? '', 'hex');
  const { lifetime = lifetimeOf(old) } = change;
  const fresh = claimsOf(
    { scopes: change.scopes ?? [], bound: change.bound ?? false },
    { ...issuer, maxLifetime: lifetime ?? issuer.maxLifetime },
    { id: caller?.id, sha256 },
    world.outcome.time,
  );
  const iat = Number(fresh['iat']);
  return {
    ...fresh,
    ...(old && withoutFaults(old, change, issuer)),
    ...(change.issuer === undefined ? {} : { iss: change.issuer }),
    ...(change.audience === undefined ? {} : { aud: change.audience }),
    ...(change.workload === undefined ? {} : identityClaims(issuer.identity, change.workload)),
    ...{ jti: randomUUID(), iat, exp: lifetime === undefined ? fresh['exp'] : iat + Math.floor(lifetime / 1000) },
  };
}

function lifetimeOf(old: TokenText | undefined): number | undefined {
  const { exp, iat } = old?.claimed ?? {};
  return typeof exp === 'number' && typeof iat === 'number' && exp > iat ? (exp - iat) * 1000 : undefined;
}

/** What the old token said, but for what is made anew, what the change names, and what no issuer would write. */
function withoutFaults(old: TokenText, change: TokenChange, { scopeClaims }: IssuerSettings): Claims {
  const dropped = new Set<string>([
    ...OWN,
    ...(change.scopes === undefined ? [] : scopeClaims),
    ...(change.bound === true ? ['cnf'] : []),
  ]);
  const texts = new Set(['iss', 'sub', 'txn']);
  const lists = new Set(['aud', ...scopeClaims]);
  const isWritten = (name: string, value: unknown): boolean =>
    typeof value === 'string' ||
    (!texts.has(name) && !lists.has(name)) ||
    (lists.has(name) && Array.isArray(value) && value.every((item) => typeof item === 'string'));
  return Object.fromEntries(
    Object.entries(old.claimed).filter(([name, value]) => !dropped.has(name) && isWritten(name, value)),
  );
}

type Header = { readonly alg: string; readonly typ: string | undefined; readonly kid: string | undefined };

function withToken(header: Header, claims: Claims, place: string, world: Supposed, original?: string): Supposed {
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const text = `${input}.${Buffer.from('supposed').toString('base64url')}`;
  const places = world.context.settings.tokens.map(({ from }) => from);
  const line = [place, place === 'authorization' ? `Bearer ${text}` : text] as const;
  return { ...world, attributes: withLines(world.attributes, places, [line]), token: { input, original } };
}
