import { describe, expect, it } from 'vitest';
import { checkGuardrails, compilePolicy } from '../../src/policy/compile.js';
import { compiled, issuesOf } from './facts.js';

const NO_RULES = { guardrails: '', ownersMay: [] } as const;
const annotations = (text: string, options: Parameters<typeof compilePolicy>[1] = NO_RULES) =>
  compilePolicy({ kind: 'annotations', text }, options);

describe('compilePolicy', () => {
  it('takes the owner and the default label from the annotations', () => {
    const result = annotations(
      'firsthand.dev/data="internal"\nfirsthand.dev/owner="team-shop"\nfirsthand.dev/scopes="GET /a a\\nGET /b b data=public"',
    );
    if (!result.ok) throw new Error('refused');
    expect(result.policy.owner).toBe('team-shop');
    expect(result.policy.revision).toMatch(/^[0-9a-f]{12}$/);
    expect(result.policy.route('GET', ['a']).data).toBe('internal');
    expect(result.policy.route('GET', ['b']).data).toBe('public');
  });

  it('declares nothing where there is no annotation or an empty one', () => {
    for (const text of ['', 'firsthand.dev/scopes=""', 'a.example/x="1"']) {
      const result = annotations(text);
      expect(result).toMatchObject({ ok: true, policy: { owner: null, lines: [] } });
      if (result.ok) expect(result.policy.route('GET', []).line).toBeUndefined();
    }
  });

  it('names the annotation, or the guardrails, in front of an issue, with the place in their text', () => {
    const result = annotations('a="1"\nfirsthand.dev/x="1"\nfirsthand.dev/scopes="# c\\nGET a b"', {
      guardrails: '\nGET /a',
      ownersMay: [],
    });
    expect(result).toMatchObject({
      ok: false,
      issues: [
        { line: 2, column: 1, code: 'annotation_unknown' },
        { line: 2, column: 5, code: 'path', message: expect.stringMatching(/^firsthand\.dev\/scopes: /) as string },
        { line: 2, column: 7, code: 'scopes', message: expect.stringMatching(/^policy\.guardrails: /) as string },
      ],
    });
  });

  it('lets guardrails use every right and overlap, but not be wrong', () => {
    expect(checkGuardrails('* /** workload\n* /** token\nGET /** anyone')).toEqual([]);
    expect(checkGuardrails('* /** workload bound')).toMatchObject([
      { line: 1, column: 16, code: 'condition_conflict' },
    ]);
  });

  it('has another revision for every input that matters, and the same for the same', () => {
    const revision = (scopes: string, guardrails = '', data = ''): string => {
      const result = annotations(`firsthand.dev/data="${data}"\nfirsthand.dev/scopes="${scopes}"`, {
        guardrails,
        ownersMay: [],
      });
      return result.ok ? result.policy.revision : 'refused';
    };
    const all = [
      revision('GET /a a'),
      revision('GET /a b'),
      revision('GET /a a', 'GET /a c'),
      revision('GET /a a', '', 'public'),
    ];
    expect(new Set(all).size).toBe(4);
    expect(revision('GET /a a')).toBe(all[0]);
  });
});

describe('overlaps', () => {
  it.each([
    ['GET /a/{x} a', 'GET /a/{y} b'],
    ['GET,POST /a a', 'PUT,POST /a/ b'],
    ['* /a a', '* /a b'],
    ['GET /%61 a', 'GET /a b'],
    ['GRPC s.A/B a', 'POST /s.A/B b'],
    ['GRPC s.A/B a', 'GRPC s.A/B b'],
    ['GRPC s.A/* a', 'POST /s.A/{m} b'],
    ['* /a/** a', 'GET /{x}/b b'],
    ['GET /{x}/b b', '* /a/** a'],
    ['* /a/{x} a', 'GET /a/** b'],
    ['* /s.A/B a', 'GRPC s.A/* b'],
    ['* /a a', 'GET /a/** b'],
  ])('between %j and %j are refused at the later one', (first, second) => {
    expect(issuesOf(`${first}\n# between\n${second}`)).toMatchObject([
      { line: 3, column: 1, code: 'overlap', message: expect.stringContaining('line 1') as string },
    ]);
  });

  it.each([
    ['GET /a a', 'POST /a b'],
    ['GET /a a', '* /a b'],
    ['GET /a/{x} a', 'GET /a/b b'],
    ['GET /a/** a', 'GET /a b'],
    ['GET /a/{x} a', '* /a/** b'],
    ['* /a/{x} a', 'PROPFIND /a/** b'],
    ['* /a/b a', 'GET /{x}/c b'],
    ['GRPC s.A/B a', '* /s.A/B b'],
    ['GET /a a', 'GET /A b'],
    ['* /a/** a', '* /a/{x} b'],
  ])('are none between %j and %j', (first, second) => {
    expect(issuesOf(`${first}\n${second}`)).toEqual([]);
  });

  it('are found among 1,000 lines at once', () => {
    const lines = Array.from({ length: 999 }, (_, index) => `GET /{a}/{b}/c${String(index)}/{d}/** a`);
    const started = performance.now();
    expect(issuesOf([...lines, 'GET /{a}/{b}/c0/{e}/** a'].join('\n'))).toMatchObject([
      { line: 1000, code: 'overlap' },
    ]);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('a very deep path', () => {
  it('is compiled and looked up without exhausting the stack', () => {
    const depth = 30_000;
    const policy = compiled(`GET ${'/a'.repeat(depth)} a\nGET /** b`);
    const segments = Array.from({ length: depth }, () => 'a');
    expect(policy.route('GET', segments).line?.number).toBe(1);
    expect(policy.route('GET', [...segments, 'a']).line?.number).toBe(2);
  });
});
