/**
 * In: a verified token. Out: the workload that it names by the operator's rule (`identity`), none, or a name that can
 * not be a workload of the accepted trust domains: `foreign`, which no origin equals. Nobody else's business is decided
 * here: whether the named workload is the origin, binding.ts compares.
 */
import type { Claims } from '../model/evidence.js';
import { parseSpiffeId, trustDomainOf } from '../model/ids.js';
import type { SpiffeId, TrustDomain } from '../model/ids.js';
import type { IdentityRule, IssuerSettings } from '../model/settings.js';
import type { VerifiedToken } from '../model/token.js';

export type NamedWorkload =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'workload';
      readonly id: SpiffeId;
      /** Where the token also names one instance of it: the ID of that one, should instances have IDs of their own. */
      readonly instance?: SpiffeId;
    }
  /** A claim's words, for the record only. */
  | { readonly kind: 'foreign'; readonly text: string };

/** Whether this origin is who the token names. An origin whose ID says which instance it is must be that instance. */
export const isNamed = (named: NamedWorkload, origin: SpiffeId): boolean =>
  named.kind === 'workload' && (named.id === origin || named.instance === origin);

type Template = Extract<IdentityRule, { readonly kind: 'template' }>;

const NONE: NamedWorkload = { kind: 'none' };
const foreign = (text: string): NamedWorkload => ({ kind: 'foreign', text });

/** SPIFFE-ID §2.2, and no dot segment. */
const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/;
const SERVICE_ACCOUNT = 'system:serviceaccount:';

export function namedWorkload(token: VerifiedToken, guard: SpiffeId | undefined): NamedWorkload {
  const rule = token.issuer.identity;
  if (rule === null) return NONE;
  const domains = acceptedDomains(token.issuer, guard);
  switch (rule.kind) {
    case 'template':
      return fromTemplate(rule, token.claims, domains);
    case 'kubernetes':
      return fromKubernetes(token.claims, domains);
  }
}

function acceptedDomains(issuer: IssuerSettings, guard: SpiffeId | undefined): readonly TrustDomain[] {
  if (issuer.domains !== null) return issuer.domains;
  return guard === undefined ? [] : [trustDomainOf(guard)];
}

/** A claim that is not there, or is no text, names nobody; neither does a text that has nothing of a SPIFFE ID. */
function fromTemplate({ parts }: Template, claims: Claims, domains: readonly TrustDomain[]): NamedWorkload {
  const words: string[] = [];
  let clean = true;
  for (const part of parts) {
    const word = 'text' in part ? part.text : claims[part.claim];
    if (typeof word !== 'string') return NONE;
    words.push(word);
    // A claim beside others is one segment, so that a "/" in it can not move the words around it.
    if ('claim' in part && parts.length > 1 && !SEGMENT.test(word)) clean = false;
  }
  const text = words.join('');
  if (!text.toLowerCase().startsWith('spiffe://')) return NONE;
  return clean ? within(text, domains) : foreign(text);
}

/**
 * Kubernetes' own claims must agree with each other: `sub` is what the API server itself compares, and the namespace
 * cannot hold a colon. Neither claim there: a token of somebody that is no service account. The pod counts where the
 * origin's ID tells it (`…/sa/NAME/pod/UID`); nothing else that is verified about an origin does.
 */
function fromKubernetes(claims: Claims, domains: readonly TrustDomain[]): NamedWorkload {
  const { sub, 'kubernetes.io': details } = claims;
  const subject = typeof sub === 'string' ? sub : '';
  if (details === undefined && !subject.startsWith(SERVICE_ACCOUNT)) return NONE;
  const namespace = textIn(details, 'namespace');
  const account = textIn(memberOf(details, 'serviceaccount'), 'name');
  const agreed = SEGMENT.test(namespace) && SEGMENT.test(account);
  if (!agreed || subject !== `${SERVICE_ACCOUNT}${namespace}:${account}`) return foreign(subject);
  const [domain, another] = domains;
  if (domain === undefined || another !== undefined) return foreign(subject);
  const named = within(`spiffe://${domain}/ns/${namespace}/sa/${account}`, domains);
  return named.kind === 'workload' ? { ...named, ...podOf(details, named.id) } : named;
}

function podOf(details: unknown, id: SpiffeId): { readonly instance?: SpiffeId } {
  const uid = textIn(memberOf(details, 'pod'), 'uid');
  const instance = SEGMENT.test(uid) ? parseSpiffeId(`${id}/pod/${uid}`) : undefined;
  return instance === undefined ? {} : { instance };
}

function within(text: string, domains: readonly TrustDomain[]): NamedWorkload {
  const id = parseSpiffeId(text);
  return id !== undefined && domains.includes(trustDomainOf(id)) ? { kind: 'workload', id } : foreign(text);
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

/** Empty where there is none: no segment is empty. */
function textIn(value: unknown, name: string): string {
  const member = memberOf(value, name);
  return typeof member === 'string' ? member : '';
}
