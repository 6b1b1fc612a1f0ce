/** What `policy` demands: one source of lines, and guardrails that parse. The owner's file is read later, by state/. */
import { find } from '../node.js';
import type { Config } from '../schema.js';
import { oneLine } from '../words.js';
import type { Places } from './rule.js';

export function checkPolicySource(config: Config, places: Places): void {
  const { annotations, scopes } = config.policy;
  if (places.isTouched(['policy', 'annotations'], ['policy', 'scopes'])) return;
  if (annotations === null && scopes === null)
    places.report(
      ['policy'],
      'expected annotations or scopes, got neither',
      'for example annotations: /etc/podinfo/annotations',
    );
  if (annotations !== null && scopes !== null)
    places.reportKey(['policy', 'scopes'], 'expected annotations or scopes, got both', 'keep one of them');
}

export function checkGuardrailText(config: Config, places: Places): void {
  const { node, exact } = find(places.tree, ['policy', 'guardrails']);
  if (!exact || node.kind !== 'scalar' || places.isTouched(['policy', 'guardrails'])) return;
  for (const issue of places.checkGuardrails(config.policy.guardrails)) {
    const hint = issue.hint === undefined ? undefined : oneLine(issue.hint);
    places.reportAt(node.inside(issue.line, issue.column), `policy.guardrails: ${oneLine(issue.message)}`, hint);
  }
}
