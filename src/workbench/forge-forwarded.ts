/**
 * x-forwarded-client-cert as the Envoys of the way would write it. In: who called whom, and what the operator says that
 * the listener in front of the guard does. Out: the header's value, or undefined where there is none.
 */
import type { SpiffeId } from '../model/ids.js';
import type { OriginSettings } from '../model/settings.js';
import type { Svid } from './forge-authority.js';

/** Everybody on the way that showed a certificate, the origin first; empty for a caller without one. */
export interface Way {
  readonly callers: readonly Svid[];
  /** Somebody without a certificate stands in front of the first of them. */
  readonly outside: boolean;
  readonly guard: SpiffeId;
  /** What the origin itself sent in this header. */
  readonly sent: string | undefined;
}

export function forwardedHeader(way: Way, settings: OriginSettings): string | undefined {
  const elements = elementsOf(way, settings);
  return elements.length === 0 ? undefined : elements.join(',');
}

function elementsOf(way: Way, settings: OriginSettings): readonly string[] {
  const peer = way.callers.at(-1);
  // Without a certificate every mode but "always" removes the header.
  if (peer === undefined) return [];
  const arrived = [...sentBy(way), ...betweenCallers(way, settings)];
  const own = elementOf(way.guard, peer, settings.peer === 'xfcc');
  switch (settings.xfcc) {
    case 'append-forward':
      return [...arrived, own];
    case 'sanitize-set':
      return [own];
    case 'forward-only':
      return arrived;
    case 'ignore':
      return [];
  }
}

/** Outside came without a certificate: the first Envoy removed whatever it sent. */
const sentBy = ({ sent, outside }: Way): readonly string[] => (sent === undefined || outside ? [] : [sent]);

/** Each forwarder appended who called it. */
function betweenCallers({ callers }: Way, { forwarders }: OriginSettings): readonly string[] {
  const demanded = callers.some(({ id }) => forwarders.get(id)?.originCertificate === 'require');
  return callers.slice(1).flatMap((by, index) => {
    const about = callers[index];
    return about === undefined ? [] : [elementOf(by.id, about, demanded)];
  });
}

/** In Envoy's order of fields; Cert is percent-encoded PEM in quotes. */
const elementOf = (by: SpiffeId, { id, sha256, pem }: Svid, withCertificate: boolean): string =>
  `By=${by};Hash=${sha256.toString('hex')};${withCertificate ? `Cert="${encodeURIComponent(pem)}";` : ''}URI=${id}`;
