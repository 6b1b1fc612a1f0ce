/** CheckRequests as Envoy would send them, from the few facts that a test cares about. */
import { CHECK_REQUEST } from '../../src/wire/proto.js';
import type { TestSvid } from './pki.js';

export interface RequestFacts {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly principal?: string;
  /** URL-encoded PEM. */
  readonly certificate?: string;
  readonly destination?: string;
  /** Lines in their order; the pseudo headers are added. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** header_map (encode_raw_headers) or headers. */
  readonly encoding?: 'list' | 'map';
}

export const GUARD = 'spiffe://prod.example/ns/shop/sa/orders';

export function checkRequest(facts: RequestFacts): Buffer {
  const { method = 'GET', path = '/', host = 'orders.example', headers = [], encoding = 'list' } = facts;
  const lines = [[':method', method], [':path', path], [':authority', host], ...headers] as const;
  const encoded =
    encoding === 'list'
      ? { header_map: { headers: lines.map(([key, value]) => ({ key, raw_value: Buffer.from(value) })) } }
      : { headers: Object.fromEntries(lines) };
  return CHECK_REQUEST.serialize({
    attributes: {
      source: { principal: facts.principal ?? '', certificate: facts.certificate ?? '' },
      destination: { principal: facts.destination ?? GUARD },
      request: { http: { method, path, host, ...encoded } },
    },
  });
}

/** The element that an Envoy writes about its peer. */
export const elementOf = (by: string, peer: Pick<TestSvid, 'id' | 'sha256'>, extra = ''): string =>
  `By=${by};Hash=${peer.sha256};${extra}URI=${peer.id}`;

/** As text XFCC carries a certificate. */
export const certField = (svid: TestSvid): string => `Cert="${svid.urlEncodedPem}";`;

export interface CallFacts extends Omit<RequestFacts, 'principal' | 'certificate'> {
  readonly peer: TestSvid;
  /** Elements left of the own one, the oldest first. */
  readonly behind?: readonly string[];
  /** The own element; null: none at all. */
  readonly own?: string | null;
  readonly token?: string | undefined;
}

/** A call over mTLS through an Envoy in APPEND_FORWARD. */
export function callFrom({ peer, behind = [], own, token, headers = [], ...facts }: CallFacts): Buffer {
  const destination = facts.destination ?? GUARD;
  const elements = [...behind, own === undefined ? elementOf(destination, peer) : own].filter((item) => item !== null);
  const forwarded = elements.length === 0 ? [] : [['x-forwarded-client-cert', elements.join(',')] as const];
  const credential = token === undefined ? [] : [['authorization', `Bearer ${token}`] as const];
  return checkRequest({
    ...facts,
    destination,
    principal: peer.id,
    certificate: peer.urlEncodedPem,
    headers: [...forwarded, ...credential, ...headers],
  });
}
