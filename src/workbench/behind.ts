/**
 * What stands behind the peer, walked again without the limit on hops. In: a denied request whose peer was verified. Out:
 * the walk of step 3 itself, or undefined where the elements do not link. Says nothing about truth.
 */
import { readForwarded } from '../evidence/forwarded.js';
import type { ForwardedElement } from '../model/evidence.js';
import { walkChain } from '../origin/chain.js';
import type { Walk } from '../origin/chain.js';
import { hasOwnElement } from '../origin/peer.js';
import { FORWARDED_HEADER } from '../request/shape.js';
import type { Case } from './case.js';

export function elementsOf({ attributes }: Pick<Case, 'attributes'>): readonly ForwardedElement[] | undefined {
  const read = readForwarded(attributes?.headers.all(FORWARDED_HEADER)[0] ?? '');
  return read.ok ? read.value : undefined;
}

/** Without this Envoy's own element, where it writes one. */
export function elementsBehind(told: Pick<Case, 'attributes' | 'context'>): readonly ForwardedElement[] {
  const elements = elementsOf(told) ?? [];
  const { xfcc } = told.context.settings.origin;
  if (xfcc === 'ignore') return [];
  return hasOwnElement(xfcc) ? elements.slice(0, -1) : elements;
}

export function behindPeer(told: Pick<Case, 'attributes' | 'context' | 'outcome'>): Walk | undefined {
  const { peer } = told.outcome.findings;
  if (peer === undefined) return undefined;
  const { origin } = told.context.settings;
  const walk = walkChain(peer.id, elementsBehind(told), { ...origin, maxHops: Infinity });
  return walk.ok ? walk.value : undefined;
}
