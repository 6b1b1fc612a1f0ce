import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Question } from '../../src/model/decision.js';
import { instantAt } from '../../src/model/instant.js';
import { parseScopePattern } from '../../src/model/patterns.js';
import type { Policy } from '../../src/model/policy.js';
import { DATA_LABELS } from '../../src/model/settings.js';
import { decide } from '../../src/policy/decide.js';
import type { CeilingOf } from '../../src/policy/decide.js';
import { parseLines } from '../../src/policy/grammar.js';
import {
  FRONTEND,
  GATEWAY,
  NOW,
  PARTNER,
  compiled,
  credential,
  must,
  outside,
  questionOf,
  workload,
} from '../policy/facts.js';

const rule = fc.constantFrom('a', 'a+b', 'a|b', 'token', 'workload', 'anyone');
const label = fc.constantFrom(...DATA_LABELS);
const aboutOrigins = fc.subarray(['from=ns/shop/**,outside@ns/edge/**', 'via=ns/edge/**,direct', 'env=prod']);
const aboutTokens = fc.subarray(['age<=5s', 'bound', 'once']);
const aboutAll = fc.subarray(['host=orders.example', 'upgrade', 'fresh']);

/** A line for /x whose conditions fit its rule. */
const line = (data: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(rule, aboutOrigins, aboutTokens, aboutAll, data).map(([scopes, origins, tokens, all, dataLabel]) => {
    const words = ['*', '/x', scopes, ...all, dataLabel];
    if (scopes !== 'anyone') words.push(...origins);
    if (scopes !== 'anyone' && scopes !== 'workload') words.push(...tokens);
    return words.join(' ');
  });

const labelled = line(label.map((text) => `data=${text}`));
const unlabelled = line(fc.constant(''));

const question: fc.Arbitrary<Partial<Question>> = fc.record({
  origin: fc.constantFrom(
    workload(),
    workload(PARTNER),
    workload(FRONTEND, [GATEWAY]),
    workload(PARTNER, [GATEWAY]),
    outside(),
    undefined,
  ),
  credential: fc.option(
    fc
      .record({
        scopes: fc.subarray(['a', 'b', 'c']),
        age: fc.constantFrom(0, 5000, 5001),
        method: fc.constantFrom('exact', 'window', 'identity', 'pin', 'none'),
      })
      .map((facts) => credential(facts as Parameters<typeof credential>[0])),
    { nil: undefined },
  ),
  host: fc.constantFrom('orders.example', 'other.example'),
  upgrade: fc.boolean(),
});

const ceilings: fc.Arbitrary<CeilingOf> = fc
  .record({ scopes: fc.option(fc.subarray(['a', 'b', '**'])), data: fc.option(label) })
  .map(
    ({ scopes, data }) =>
      (domain) =>
        domain === 'partner.example'
          ? { scopes: scopes && scopes.map((text) => must(parseScopePattern(text))), data }
          : null,
  );

const allows = (policy: Policy, facts: Partial<Question>, ceilingOf: CeilingOf): boolean =>
  decide(questionOf(policy, facts), ceilingOf, (domain) => (domain === 'prod.example' ? 'prod' : null), instantAt(NOW))
    .kind === 'allow';

const policyOf = (own: string, guardrails: readonly string[]): Policy =>
  compiled(own, { guardrails: guardrails.join('\n') });

describe('a decision', () => {
  it('never becomes an allow because a guardrail is added', () => {
    // A label on a route that has none is the operator's word on it, and may lower what counts: see the next property.
    const cases = fc.oneof(
      fc.tuple(labelled, fc.array(fc.oneof(labelled, unlabelled), { maxLength: 2 }), fc.oneof(labelled, unlabelled)),
      fc.tuple(unlabelled, fc.array(unlabelled, { maxLength: 2 }), unlabelled),
    );
    fc.assert(
      fc.property(cases, question, ceilings, ([own, guardrails, added], facts, ceilingOf) => {
        if (allows(policyOf(own, guardrails), facts, ceilingOf)) return;
        expect(allows(policyOf(own, [...guardrails, added]), facts, ceilingOf)).toBe(false);
      }),
      { numRuns: 4000 },
    );
  });

  it('never becomes an allow because a guardrail’s label is added, where no ceiling is set', () => {
    fc.assert(
      fc.property(unlabelled, labelled, question, (own, added, facts) => {
        if (allows(policyOf(own, []), facts, () => null)) return;
        expect(allows(policyOf(own, [added]), facts, () => null)).toBe(false);
      }),
    );
  });

  it('never becomes an allow because evidence or a scope is taken away, or a ceiling set', () => {
    fc.assert(
      fc.property(
        labelled,
        fc.array(labelled, { maxLength: 2 }),
        question,
        ceilings,
        (own, guardrails, facts, ceilingOf) => {
          const policy = policyOf(own, guardrails);
          if (!allows(policy, facts, () => null)) expect(allows(policy, facts, ceilingOf)).toBe(false);
          if (allows(policy, facts, ceilingOf)) return;
          expect(allows(policy, { ...facts, credential: undefined }, ceilingOf)).toBe(false);
          expect(allows(policy, { ...facts, origin: undefined }, ceilingOf)).toBe(false);
          const fewer = facts.credential?.token.scopes.slice(1) ?? [];
          expect(
            allows(
              policy,
              {
                ...facts,
                credential:
                  facts.credential &&
                  credential({
                    scopes: fewer,
                    method: facts.credential.bound.method,
                    age: NOW - facts.credential.token.issuedAt,
                  }),
              },
              ceilingOf,
            ),
          ).toBe(false);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('the grammar', () => {
  it('answers any text with lines or issues inside of it, and never throws', () => {
    const pieces = fc.constantFrom(
      'GET',
      '*',
      'GRPC',
      '/a',
      '/{x}/**',
      's.A/B',
      'a+b',
      'a|',
      'token',
      'from=',
      'age<=',
      '"',
      '#',
      '\r',
      '\n',
      ' ',
      '\t',
      '\u00a0',
      '%2',
      '\ud800',
      '🙂',
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces).map((all) => all.join('')),
      fc.array(pieces).map((all) => all.join(' ')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const { lines, issues } = parseLines(text, { rights: 'all' });
        const rows = text.split('\n');
        for (const issue of issues) {
          expect(issue.line).toBeGreaterThan(0);
          expect(issue.line).toBeLessThanOrEqual(rows.length);
          expect(issue.column).toBeLessThanOrEqual((rows[issue.line - 1]?.length ?? 0) + 1);
          expect(issue.message + (issue.hint ?? '')).toMatch(/^[\x20-\x7e…]*$/);
        }
        const wrong = new Set(issues.map(({ line: number }) => number));
        expect(lines.some(({ number }) => wrong.has(number))).toBe(false);
      }),
      { numRuns: 3000 },
    );
  });
});
