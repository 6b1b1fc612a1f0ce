import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { formatConfigIssue } from '../../src/config/load.js';
import type { Settings } from '../../src/model/settings.js';
import { readCases } from '../../src/workbench/cases.js';
import { cleanUp, FRONTEND, GATEWAY, stage } from './forged.js';

let settings: Settings;
beforeAll(async () => {
  ({ settings } = await stage());
});
afterEach(cleanUp);

const read = (text: string): ReturnType<typeof readCases> =>
  readCases(text, 'cases.yaml', '/cases', settings, { WHO: 'frontend' });

function problems(text: string): readonly string[] {
  const found = read(text);
  return found.ok ? [] : found.issues.map(formatConfigIssue);
}

describe('a case file', () => {
  it('has requests in the short form or as a mapping, captures, and expectations', () => {
    const found = read(`
cases:
  - name: one
    request: GET /orders/1 --as \${WHO} --via gateway --scopes orders.read
    expect: { decision: allow, reason: allowed, origin: frontend, peer: gateway, rule: 1, status: 200,
              chain: [frontend, gateway, orders], headers: { X-Firsthand-Origin: "${FRONTEND}", x-other: null } }
  - request:
      method: GET
      path: /orders/1
      as: frontend
      via: [gateway]
      host: orders.example
      scopes: [orders.read]
      bound: true
      age: 10m
      claims: { sub: null, act: { sub: x } }
      headers: { X-A: b, x-c: [d, e] }
    expect: deny
  - request: { method: GET, path: /, token: false }
    expect: scope_missing
  - capture: a.bin
    at: 2026-11-23T10:00:00Z
    expect: deny
`);
    if (!found.ok) throw new Error(found.issues.map(formatConfigIssue).join('\n'));
    expect(found.cases.map(({ name, at: { line } }) => [name, line])).toEqual([
      ['one', 3],
      ['GET /orders/1', 7],
      ['GET /', 19],
      ['a.bin', 21],
    ]);
    const [one, two, three, four] = found.cases;
    expect(one?.subject).toMatchObject({ scenario: { as: 'frontend', via: ['gateway'] } });
    expect(one?.expect).toMatchObject({
      decision: 'allow',
      origin: FRONTEND,
      peer: GATEWAY,
      chain: [FRONTEND, GATEWAY, 'spiffe://prod.example/ns/shop/sa/orders'],
    });
    expect([...(one?.expect.headers ?? [])]).toEqual([
      ['x-firsthand-origin', FRONTEND],
      ['x-other', null],
    ]);
    expect(two?.subject).toMatchObject({
      scenario: {
        host: 'orders.example',
        token: { scopes: ['orders.read'], bound: true, age: 600_000, claims: { sub: null, act: { sub: 'x' } } },
        headers: [
          ['x-a', 'b'],
          ['x-c', 'd'],
          ['x-c', 'e'],
        ],
      },
    });
    expect(three?.subject).not.toHaveProperty('scenario.token');
    expect(three?.expect.reason).toBe('scope_missing');
    expect(four?.subject).toMatchObject({ kind: 'capture', file: '/cases/a.bin', time: Date.UTC(2026, 10, 23, 10) });
  });

  const ok = 'request: GET / --as frontend';
  it.each([
    ['nothing', '', '1:1: error: expected a mapping, got nothing'],
    ['a list', '- a', '1:1: error: expected a mapping, got a list'],
    ['no cases', '{}', '1:1: error: cases is missing (cases: ['],
    ['an empty list', 'cases: []', '1:8: error: cases: expected at least one case, got none'],
    ['cases that are no list', 'cases: { a: 1 }', '1:8: error: cases: expected a list of cases, got a mapping'],
    ['a misspelt root', 'casess: []', '1:1: error: unknown key "casess" (did you mean "cases"?)'],
    ['YAML that is none', 'cases: [', '1:9: error: not valid YAML'],
    ['a case that is no mapping', 'cases:\n  - GET /', '2:5: error: cases[0]: expected a mapping, got "GET /"'],
    [
      'a misspelt key',
      `cases:\n  - ${ok}\n    expct: allow`,
      '3:5: error: unknown key "expct" in cases[0] (did you mean "expect"?)',
    ],
    [
      'a repeated key',
      `cases:\n  - ${ok}\n    expect: allow\n    expect: deny`,
      '4:5: error: the key "expect" stands here for a second time',
    ],
    ['no request', 'cases:\n  - expect: allow', '2:5: error: cases[0].request is missing'],
    [
      'request and capture',
      `cases:\n  - ${ok}\n    capture: x\n    expect: allow`,
      '3:5: error: cases[0]: request and capture exclude each other',
    ],
    ['no expectation', `cases:\n  - ${ok}`, '2:5: error: cases[0].expect is missing'],
    ['an empty expectation', `cases:\n  - ${ok}\n    expect: {}`, '3:5: error: cases[0].expect.decision is missing'],
    [
      'an unknown reason',
      `cases:\n  - ${ok}\n    expect: scope_mising`,
      '3:13: error: cases[0].expect: expected allow, deny, a reason or a mapping, got "scope_mising" (did you mean "scope_missing"?)',
    ],
    [
      'an unknown decision',
      `cases:\n  - ${ok}\n    expect: { decision: allwo }`,
      '3:25: error: cases[0].expect.decision: expected allow or deny, got "allwo" (did you mean "allow"?)',
    ],
    [
      'a contradiction',
      `cases:\n  - ${ok}\n    expect: { decision: deny, reason: allowed }`,
      '3:39: error: cases[0].expect.reason: allowed is never the reason of deny',
    ],
    [
      'an unknown wish',
      `cases:\n  - ${ok}\n    expect: { orign: frontend }`,
      '3:15: error: unknown key "orign" in cases[0].expect (did you mean "origin"?)',
    ],
    [
      'a rule that is no number',
      `cases:\n  - ${ok}\n    expect: { rule: two }`,
      '3:21: error: cases[0].expect.rule: expected a whole number, got "two"',
    ],
    [
      'an origin that is nobody',
      `cases:\n  - ${ok}\n    expect: { origin: "a b" }`,
      '3:23: error: cases[0].expect.origin: "a b" names no workload',
    ],
    [
      'an unknown option',
      'cases:\n  - request: GET / --az frontend\n    expect: allow',
      '2:20: error: cases[0].request: unknown option --az: did you mean --as?',
    ],
    [
      'an unknown forwarder',
      'cases:\n  - request: "GET / --as a --via gatway"\n    expect: allow',
      '2:34: error: cases[0].request: no forwarder is listed as gatway: did you mean gateway?',
    ],
    [
      'an open quote',
      `cases:\n  - request: GET / 'x\n    expect: allow`,
      '2:14: error: cases[0].request: a quote is never closed',
    ],
    [
      'an unknown part',
      'cases:\n  - request: { method: GET, path: /, scope: a }\n    expect: allow',
      '2:38: error: unknown key "scope" in cases[0].request (did you mean "scopes"?)',
    ],
    [
      'no path',
      'cases:\n  - request: { method: GET }\n    expect: allow',
      '2:5: error: cases[0].request.path is missing',
    ],
    [
      'an age without a unit',
      'cases:\n  - request: { method: GET, path: /, age: "5" }\n    expect: allow',
      '2:43: error: cases[0].request.age: expected a duration such as 30s, 10m or 1h, got "5"',
    ],
    [
      'a bound that is no flag',
      'cases:\n  - request: { method: GET, path: /, bound: sure }\n    expect: allow',
      '2:45: error: cases[0].request.bound: expected true or false, got "sure"',
    ],
    [
      'a token that is none and has scopes',
      'cases:\n  - request: { method: GET, path: /, token: false, scopes: a }\n    expect: allow',
      '2:45: error: cases[0].request.token: false and scopes exclude each other',
    ],
    [
      'a bad header',
      'cases:\n  - request: { method: GET, path: /, headers: { "a b": c } }\n    expect: allow',
      '2:49: error: "a b" is no name of a header',
    ],
    [
      'a time for a request',
      `cases:\n  - ${ok}\n    at: 2026-11-23T10:00:00Z\n    expect: allow`,
      '3:5: error: cases[0]: at is for captures',
    ],
    [
      'a time that is none',
      'cases:\n  - capture: x\n    at: yesterday\n    expect: allow',
      '3:9: error: cases[0].at: expected a time such as 2026-11-23T10:00:00Z, got "yesterday"',
    ],
    [
      'an unset variable',
      'cases:\n  - request: GET / --as ${NOBODY}\n    expect: allow',
      '2:25: error: cases[0].request: the environment variable NOBODY is not set',
    ],
  ])('with %s is refused at its place', (_, text, problem) => {
    expect(problems(text)[0]).toContain(`cases.yaml:${problem}`);
  });

  it('tells every mistake at once, each once', () => {
    const text = 'cases:\n  - request: GET /\n    expect: alow\n  - requst: GET /\n    expect: deny\n';
    expect(problems(text).map((problem) => problem.split(': ')[0])).toEqual(['cases.yaml:3:13', 'cases.yaml:4:5']);
  });
});
