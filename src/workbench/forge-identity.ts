/**
 * The claims by which a token names its workload, so that `identity` of its issuer reads `id` from them. In: the rule, the
 * workload (undefined: somebody outside). Out: claims; they name nobody where the rule has no words for this workload.
 * Does NOT ask whether the issuer may name that trust domain.
 */
import { pathSegments } from '../model/ids.js';
import type { SpiffeId } from '../model/ids.js';
import type { IdentityRule } from '../model/settings.js';

type Claims = Readonly<Record<string, unknown>>;
type Parts = Extract<IdentityRule, { readonly kind: 'template' }>['parts'];

/** A subject that no rule takes for a workload. */
const SOMEBODY = 'somebody';

export function identityClaims(rule: IdentityRule | null, id: SpiffeId | undefined): Claims {
  if (rule === null) return { sub: id ?? SOMEBODY };
  switch (rule.kind) {
    case 'template':
      return templateClaims(rule.parts, id);
    case 'kubernetes':
      return kubernetesClaims(id);
  }
}

/** The template read backwards: each claim is what stands in its place in the ID. */
function templateClaims(parts: Parts, id: SpiffeId | undefined): Claims {
  const names = [...new Set(parts.flatMap((part) => ('claim' in part ? [part.claim] : [])))];
  const found = id === undefined ? null : patternOf(parts, names).exec(id);
  if (found !== null) {
    const claims = Object.fromEntries(names.map((name, index) => [name, found[index + 1]]));
    return { sub: id, ...claims };
  }
  // A claim that is not there names nobody; a subject in the middle of a template would name somebody else.
  return parts.length > 1 && names.includes('sub') ? {} : { sub: SOMEBODY };
}

/** A claim beside others is one segment; the same claim in two places is the same text. */
function patternOf(parts: Parts, names: readonly string[]): RegExp {
  const seen = new Set<string>();
  const any = parts.length > 1 ? '([A-Za-z0-9._-]+)' : '(.+)';
  const source = parts.map((part) => {
    if ('text' in part) return part.text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    if (seen.has(part.claim)) return `\\${names.indexOf(part.claim) + 1}(?![0-9])`;
    seen.add(part.claim);
    return any;
  });
  return new RegExp(`^${source.join('')}$`);
}

function kubernetesClaims(id: SpiffeId | undefined): Claims {
  const [ns, namespace, sa, name, pod, uid, more] = id === undefined ? [] : pathSegments(id);
  const isPod = pod === undefined || (pod === 'pod' && uid !== undefined && more === undefined);
  if (ns !== 'ns' || sa !== 'sa' || namespace === undefined || name === undefined || !isPod) return { sub: SOMEBODY };
  return {
    sub: `system:serviceaccount:${namespace}:${name}`,
    'kubernetes.io': { namespace, serviceaccount: { name }, ...(uid === undefined ? {} : { pod: { uid } }) },
  };
}
