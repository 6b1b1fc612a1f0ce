import type { IssueCode } from '../policy/issue.js';

/**
 * Every code that a finding can have, with the sentence that names it. Stable: people silence and search by them. The
 * first part is what the guard itself refuses at load; the second is what lint alone says.
 */
export const CODES = {
  syntax: 'A scope line is not METHOD PATH SCOPES [CONDITION…]',
  limit: 'A text is longer than it may be',
  character: 'A character that a reader can not see, or that is not UTF-8',
  method: 'A word that is no method',
  path: 'A path that no request can match, or that can be read in two ways',
  scopes: 'A word that is no scope rule',
  condition_unknown: 'A word that is no condition',
  condition_value: 'A condition with a value that nothing could satisfy',
  condition_duplicate: 'A condition that comes twice',
  condition_conflict: 'A condition that its line would never look at',
  not_supported: 'A word of a later version',
  right_missing: 'A line that the operator must allow first',
  overlap: 'Lines of which nobody can know which one was meant',
  annotation_syntax: 'An annotation that is not written as the Downward API writes it',
  annotation_unknown: 'An annotation under our prefix that does not exist',
  annotation_value: 'An annotation with a value that it can not have',
  annotation_duplicate: 'An annotation that comes twice',
  config: 'A mistake in the configuration',

  empty: 'A file with nothing in it',
  kind_unknown: 'A file of which can not be told what it is',
  yaml: 'A text that is not valid YAML',
  annotation_misplaced: 'An annotation that does not reach any pod',
  annotation_folded: 'An annotation whose lines YAML joins into one',
  unreachable: 'A line that no request can reach',
  anyone_writes: 'A line that lets anyone write',
  workload_writes: 'A line that lets workloads write without a token',
  shadows_stricter: 'A broader line that asks for less decides requests near a stricter one',
  issuer_missing: 'A line that needs a token where no issuer is configured',
  scope_above_grant: 'A scope that no configured issuer can give',
  scope_above_guardrail: 'A line that lets in whom a guardrail refuses',
  scope_above_ceiling: 'A scope above the ceiling of a trust domain',
  data_above_ceiling: 'Data above the ceiling of a trust domain',
  data_missing: 'No data label where a ceiling makes it matter',
  domain_unknown: 'A trust domain that is not configured',
  environment_unknown: 'An environment that is not configured',
  forwarder_unmatched: 'A forwarder that can never match',
  outside_on_workload: 'Outside traffic on a line that never lets it in',
  lookalike: 'A word that means something else in other tools',
  options_missing: 'A route for browsers without an OPTIONS line',
  api_document: 'An API document that can not be used',
  route_uncovered: 'An operation that no line covers',
  line_unused: 'A line that covers no operation',
} as const satisfies Record<IssueCode, string> & Record<string, string>;

export type Code = keyof typeof CODES;
