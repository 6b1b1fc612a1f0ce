/**
 * What step 7 saw: ceilings, the data label, and each condition of each line with what it was compared with. In: a scene
 * whose caller was verified. Asks the functions that decided, one condition at a time; decides nothing.
 */
import { trustDomainOf } from '../model/ids.js';
import { instantAt } from '../model/instant.js';
import type { Line } from '../model/policy.js';
import type { Credential } from '../model/token.js';
import { ceilingOver, isWithin } from '../policy/ceilings.js';
import { looksAtOrigin, looksAtToken } from '../policy/demand.js';
import type { Missing } from '../policy/missing.js';
import { unmetEnvironment, unmetFrom, unmetHost, unmetOutside, unmetVia } from '../policy/unmet-origin.js';
import { unmetAge, unmetBound, unmetScopes } from '../policy/unmet-token.js';
import { lineText } from './saw-request.js';
import type { Outcome } from '../model/decision.js';
import type { Shape } from '../request/shape.js';
import type { StoryContext } from './story-context.js';
import { shown } from './shown.js';
import { spanText } from '../model/duration.js';

/** What of a scene this step looks at. */
export interface PolicyScene {
  readonly outcome: Pick<Outcome, 'findings' | 'guard' | 'time'>;
  readonly shape: Pick<Shape, 'host'> | undefined;
  readonly context: StoryContext;
}

export function sawPolicy(scene: PolicyScene): string[] {
  const { line, guardrails = [] } = scene.outcome.findings.route ?? {};
  return [
    ...(line === undefined || !looksAtOrigin(line) ? [] : sawCeilings(scene)),
    ...guardrails.flatMap((rail) => conditionsOf(rail, `guardrail ${rail.number}`, scene)),
    ...(line === undefined ? [] : conditionsOf(line, `line ${line.number}`, scene)),
  ];
}

function sawCeilings({ outcome, context }: PolicyScene): string[] {
  const { route, origin } = outcome.findings;
  const facts: string[] = [];
  for (const domain of new Set((origin?.chain ?? []).map(trustDomainOf))) {
    const ceiling = context.settings.trust.get(domain)?.ceiling ?? null;
    if (ceiling === null) continue;
    const scopes = ceiling.scopes === null ? '' : ` scopes ${ceiling.scopes.join(' ')}`;
    facts.push(`ceiling of ${domain}:${scopes}${ceiling.data === null ? '' : ` data ${ceiling.data}`}`);
  }
  return [...(facts.length === 0 ? ['no ceiling'] : facts), `data label: ${route?.data ?? 'restricted'}`];
}

function conditionsOf(line: Line, name: string, scene: PolicyScene): string[] {
  const texts = scene.context[name.startsWith('guardrail') ? 'guardrails' : 'lines'];
  const words = lineText(texts, line).split(' ').slice(2);
  return judged(line, scene).map(([word, missing]) => {
    const written = words.find((text) => text.startsWith(word)) ?? (word === '' ? (words[0] ?? '') : word);
    const fact = missing === undefined ? '' : `: ${shown(missing.hint ?? missing.detail)}`;
    return `${name}: ${written} ${missing === undefined ? 'holds' : 'does not hold'}${fact}${ageNote(word, scene)}`;
  });
}

function ageNote(word: string, { outcome }: PolicyScene): string {
  const { token } = outcome.findings;
  return word === 'age' && token !== undefined ? ` (the token is ${spanText(outcome.time - token.issuedAt)} old)` : '';
}

/** Each condition that the line has, by the beginning of its word; '' stands for its scopes. */
function judged(line: Line, { outcome, shape, context }: PolicyScene): (readonly [string, Missing])[] {
  const { origin, token, bound } = outcome.findings;
  const { conditions } = line;
  const found: (readonly [string, Missing])[] = [];
  const has = (word: keyof typeof conditions): boolean => conditions[word] !== null && conditions[word] !== false;
  if (looksAtOrigin(line) && origin !== undefined) {
    const held = heldScopes(line, outcome, context);
    const outside = unmetOutside(line, origin, outcome.guard);
    const credential: Credential | undefined = token && bound && { token, bound };
    const environmentOf = (domain: ReturnType<typeof trustDomainOf>): string | null =>
      context.settings.trust.get(domain)?.environment ?? null;
    if (outside !== undefined || !looksAtToken(line) || token !== undefined)
      found.push(['', outside ?? (looksAtToken(line) ? unmetScopes(line, held) : undefined)]);
    if (has('from')) found.push(['from=', unmetFrom(line, origin, outcome.guard)]);
    if (has('via')) found.push(['via=', unmetVia(line, origin, outcome.guard)]);
    if (has('env')) found.push(['env=', unmetEnvironment(line, origin, environmentOf)]);
    if (credential !== undefined && has('maxAge'))
      found.push(['age', unmetAge(line, credential, instantAt(outcome.time))]);
    if (credential !== undefined && has('bound')) found.push(['bound', unmetBound(line, credential, origin)]);
  } else found.push(['', undefined]);
  if (has('host') && shape !== undefined) found.push(['host=', unmetHost(line, shape.host)]);
  return found;
}

function heldScopes(line: Line, outcome: PolicyScene['outcome'], context: StoryContext): readonly string[] {
  const { origin, token } = outcome.findings;
  if (!looksAtToken(line)) return [];
  const ceiling = ceilingOver(origin?.chain ?? [], (domain) => context.settings.trust.get(domain)?.ceiling ?? null);
  return (token?.scopes ?? []).filter((scope) => isWithin(ceiling, scope));
}
