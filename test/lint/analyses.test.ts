import { describe, expect, it } from 'vitest';
import { OPERATOR, findings, input, linted } from './linted.js';

/** Every finding beside the nearest text that has none. */
const withOperator = (text: string): string[] => linted(text, { operator: OPERATOR });

describe('a clean policy', () => {
  it('has no findings', () => {
    const text = `# reads
GET,HEAD /orders/{id} orders.read from=ns/shop/sa/frontend via=ns/edge/sa/gateway,direct data=internal
POST /orders orders.write env=prod data=internal
* /admin/** ops.admin data=restricted from=ns/ops/**
GRPC grpc.health.v1.Health/* workload data=public
`;
    expect(withOperator(text)).toEqual([]);
  });

  it('may declare nothing, but not by accident', () => {
    for (const text of ['# nothing\n', '---\n# Source: x\n---\n']) expect(linted(text)).toEqual([]);
    for (const text of ['', '\n', ' \t\r\n']) {
      expect(linted(text)).toEqual(['1:1 info empty']);
      expect(linted('', { inputs: [{ ...input('<stdin>', text), piped: true }] })).toEqual(['1:1 warning empty']);
    }
  });
});

describe('unreachable', () => {
  it.each([
    ['GET /a a\nGET /a/{x}/** b\nGET /a/** c', ['3:1 error unreachable']],
    ['GET /a a\nGET /a/{x} b\nGET /a/** c', []],
    ['GET /a a\nPOST /a/{x}/** b\nGET /a/** c', []],
    ['GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS /a a\n* /a b', ['2:1 error unreachable']],
    ['GET,HEAD,POST,PUT,PATCH,DELETE /a a\n* /a b', []],
    ['GET /a a\nGET /A b', ['1:1 error unreachable', '2:1 error unreachable']],
    ['GET /a a\nGET /{x} b\nGET /B c', []],
  ])('is said of what no request can reach: %j', (text, expected) => {
    expect(linted(text)).toEqual(expected);
  });

  it('stays quick on a thousand lines and on deep paths', () => {
    const wide = Array.from({ length: 999 }, (_, index) => `GET /a${String(index)}/** a${String(index)}`).join('\n');
    const deep = `GET ${'/a'.repeat(30_000)} a\nGET /** a`;
    const started = performance.now();
    expect(linted(wide)).toEqual([]);
    expect(linted(deep)).toEqual([]);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('lines without a token', () => {
  it.each([
    ['POST /a workload', ['1:1 warning workload_writes']],
    ['GET,HEAD,OPTIONS /a workload', []],
    ['  * /a workload', ['1:3 warning workload_writes']],
    ['PURGE /a workload', ['1:1 warning workload_writes']],
    ['POST /a token', []],
    ['GRPC s.A/B workload', []],
    ['DELETE /a anyone', ['1:1 warning anyone_writes', '1:11 info right_missing']],
  ])('are a finding where they write: %j', (text, expected) => {
    expect(linted(text)).toEqual(expected);
  });

  it('need the operator where a configuration tells', () => {
    expect(withOperator('GET /health anyone')).toEqual(['1:13 error right_missing']);
    const allowing = OPERATOR.replace('scopes: lines', 'scopes: lines\n  ownersMay: [anyone]');
    expect(linted('GET /health anyone', { operator: allowing })).toEqual([]);
  });
});

describe('shadows_stricter', () => {
  it.each([
    // It wins, and is no exception.
    ['GET /{a}/secret admin\nGET /x/{b} token', ['2:1 warning shadows_stricter']],
    ['GET /{a}/secret admin\nGET /x/secret token', []],
    ['GET /{a}/secret admin\nGET /x/{b} orders.read', []],
    // Methods that the stricter line forgot.
    ['GET /admin admin\n* /** token', ['2:1 warning shadows_stricter']],
    ['GET /admin admin\nGET,HEAD /** token', ['2:1 warning shadows_stricter']],
    ['GET,HEAD /admin admin\nGET,HEAD /** token', ['2:1 info shadows_stricter']],
    ['* /admin admin\n* /** token', ['2:1 info shadows_stricter']],
    ['POST /admin admin\nGET /** token', []],
    ['POST /orders token\nPUT /orders admin', []],
    // Less of something else than scopes.
    ['GET /a/{x} a from=ns/b/sa/c\n* /a/** a from=ns/b/**', ['2:1 warning shadows_stricter']],
    ['GET /a/{x} a age<=5m\n* /a/** a age<=5m', []],
    ['GET /a/{x} a|b\n* /a/** a', []],
    ['GET /a/{x} a bound\n* /a/** a', ['2:1 warning shadows_stricter']],
  ])('needs a proof that one asks for less: %j', (text, expected) => {
    expect(linted(text)).toEqual(expected);
  });

  it('shows a request that is decided with less', () => {
    expect(findings('GET /{a}/secret admin\nGET /x/{b} token')[0]?.message).toBe(
      'GET /x/secret is decided here, with less than line 1 asks for',
    );
  });
});

describe('against a configuration', () => {
  it.each([
    ['GET /a ops.read|orders.read data=public', []],
    ['GET /a ops.read+ops.write data=public', []],
    ['GET /a ops.read|nobody data=public', ['1:17 warning scope_above_grant']],
    ['GET /a no.one|nobody data=public', ['1:8 error scope_above_grant', '1:15 error scope_above_grant']],
    ['GET /refunds/{id} orders.read data=public', []],
    ['GET /refunds/{id} workload data=public', ['1:19 warning scope_above_guardrail']],
    ['GET /{x}/1 workload data=public', ['1:12 info scope_above_guardrail']],
    ['GET /a workload data=public', []],
    ['GET /a catalog.read from=spiffe://partner.example/** data=public', []],
    ['GET /a catalog.read from=spiffe://partner.example/**', ['1:1 warning data_missing']],
    ['GET /a catalog.read from=ns/shop/**', []],
    ['GET /a catalog.read from=spiffe://partner.example/** data=internal', ['1:26 error data_above_ceiling']],
    ['GET /a orders.read data=internal', []],
    ['GET /a orders.read from=ns/shop/**,spiffe://partner.example/** data=public', ['1:8 warning scope_above_ceiling']],
    ['GET /a orders.read via=direct,ns/*/sa/gateway data=public', []],
    ['GET /a orders.read via=spiffe://other.example/** data=public', ['1:24 error domain_unknown']],
    ['GET /a orders.read from=outside@ns/edge/sa/gateway data=public', ['1:5 info options_missing']],
    ['GET,OPTIONS /a orders.read from=outside@ns/edge/sa/gateway data=public', []],
  ])('%j', (text, expected) => {
    expect(withOperator(text)).toEqual(expected);
  });

  it('takes the label of firsthand.dev/data', () => {
    const text = 'firsthand.dev/scopes="GET /a catalog.read"\n';
    expect(withOperator(text)).toEqual(['1:23 warning data_missing']);
    expect(withOperator(`firsthand.dev/data="public"\n${text}`)).toEqual([]);
  });

  it('says once that no issuer is there', () => {
    const operator = 'trust: { a.example: { bundle: a.pem } }\npolicy: { scopes: lines }\n';
    expect(linted('GET /a a', { operator })).toEqual(['1:8 error issuer_missing']);
    expect(linted('GET /a workload', { operator })).toEqual([]);
  });

  it('leaves relative patterns alone where the guard could be of several domains', () => {
    const operator = OPERATOR.replace(/^workload:.*\n/, '');
    expect(linted('GET /a orders.read via=ns/edge/sa/nobody data=public', { operator })).toEqual([]);
    expect(withOperator('GET /a orders.read via=ns/edge/sa/nobody data=public')).toEqual([
      '1:24 error forwarder_unmatched',
    ]);
  });

  it('that is broken says so, and checks the rest without it', () => {
    expect(findings('POST /a workload', { operator: 'trust: {}\npolicy: { scopes: lines }\n' })).toMatchObject([
      { file: 'in', code: 'workload_writes' },
      { file: 'firsthand.yaml', code: 'config' },
    ]);
  });
});

describe('options_missing', () => {
  it('is said of the other routes where some have OPTIONS', () => {
    expect(linted('GET /a a\nOPTIONS /a token\nGET /b a')).toEqual(['3:5 info options_missing']);
    expect(linted('GET /a a\nOPTIONS /** token\nGET /b a')).toEqual([]);
    expect(linted('GET /a a\nGET /b a')).toEqual([]);
  });
});

describe('lookalike', () => {
  it.each([
    'GET /a/{id}/v1:batch tokens:read',
    'GET /a/%3Aid a:b',
    'GET /a token.introspect+public.read from=ns/shop/**',
    'GET /a a from=ns/*/sa/*,spiffe://prod.example/billing/reporter,outside@ns/edge/sa/gateway',
    'GET /a workload from=** via=direct',
    'GRPC a.B/C a',
  ])('is not said of %s', (text) => {
    expect(linted(text).filter((found) => found.includes('lookalike'))).toEqual([]);
  });

  it('says what would have been meant', () => {
    expect(linted('GET /a/:id a,b from=frontend')).toEqual([
      '1:8 warning lookalike',
      '1:12 warning lookalike',
      '1:21 info lookalike',
    ]);
  });
});
