import { describe, expect, test } from 'vitest';
import { httpStatus, isAllow, REASONS, title } from '../../src/model/reasons.js';
import type { DenyReason, Reason } from '../../src/model/reasons.js';
import { denial } from '../../src/wire/denial.js';
import type { DenialFacts } from '../../src/wire/denial.js';

const reasons = (Object.keys(REASONS) as Reason[]).filter((reason): reason is DenyReason => !isAllow(reason));

const facts = (parts: Partial<DenialFacts>): DenialFacts => ({
  reason: 'route_undeclared',
  id: 'd-1',
  hint: 'declare it',
  detail: 'none',
  grpc: false,
  ...parts,
});
const header = (parts: Partial<DenialFacts>, name: string): string | undefined =>
  denial(facts(parts)).headers.find(([key]) => key === name)?.[1];
const body = (parts: Partial<DenialFacts>): unknown => JSON.parse(denial(facts(parts)).body);

describe('the body of a denial', () => {
  const told = { title: 'The route is not declared', status: 403 };

  test('shows by detail the reason and the id, and only then the hint', () => {
    expect(body({ detail: 'none' })).toEqual(told);
    expect(body({ detail: 'reason' })).toEqual({ ...told, reason: 'route_undeclared', id: 'd-1' });
    expect(body({ detail: 'hint' })).toEqual({ ...told, reason: 'route_undeclared', id: 'd-1', hint: 'declare it' });
  });

  test('leaves out what is not there', () => {
    expect(body({ detail: 'hint', hint: undefined })).toEqual({ ...told, reason: 'route_undeclared', id: 'd-1' });
    expect(body({ detail: 'hint', hint: undefined, id: undefined })).toEqual({ ...told, reason: 'route_undeclared' });
  });

  test('is one line of text for gRPC', () => {
    const line = (parts: Partial<DenialFacts>): string => denial(facts({ grpc: true, ...parts })).body;
    expect(line({ detail: 'none' })).toBe('The route is not declared');
    expect(line({ detail: 'reason' })).toBe('The route is not declared; route_undeclared; d-1');
    expect(line({ detail: 'hint' })).toBe('The route is not declared; route_undeclared; d-1; declare it');
    expect(line({ detail: 'hint', hint: 'two\r\nlines' })).toBe(
      'The route is not declared; route_undeclared; d-1; two lines',
    );
  });

  test.each(reasons)('for %s without detail tells apart no more than title and status', (reason) => {
    const { body: text } = denial(facts({ reason, detail: 'none' }));
    expect(JSON.parse(text)).toEqual({ title: title(reason), status: httpStatus(reason) });
    expect(denial(facts({ reason, detail: 'none', grpc: true })).body).toBe(title(reason));
  });
});

describe('the headers of a denial', () => {
  test('say what the body is, that nobody may keep it, and the id', () => {
    expect(denial(facts({})).headers).toEqual([
      ['content-type', 'application/problem+json'],
      ['cache-control', 'no-store'],
      ['x-firsthand-decision', 'd-1'],
    ]);
    expect(header({ grpc: true }, 'content-type')).toBe('text/plain');
    expect(header({ id: undefined }, 'x-firsthand-decision')).toBeUndefined();
  });

  test.each(reasons)('challenge for %s as RFC 6750 demands', (reason) => {
    const challenge = header({ reason, detail: 'none' }, 'www-authenticate');
    if (httpStatus(reason) !== 401) expect(challenge).toBeUndefined();
    else if (reason === 'token_missing' || reason.startsWith('peer_')) expect(challenge).toBe('Bearer');
    else expect(challenge).toBe('Bearer error="invalid_token"');
  });

  test('name the demanded scopes only where reasons are shown', () => {
    const challenge = (parts: Partial<DenialFacts>): string | undefined =>
      header({ reason: 'scope_missing', scopesRequired: ['a', 'b.c'], ...parts }, 'www-authenticate');
    expect(challenge({ detail: 'none' })).toBeUndefined();
    expect(challenge({ detail: 'reason' })).toBe('Bearer error="insufficient_scope", scope="a b.c"');
    expect(challenge({ detail: 'hint' })).toBe('Bearer error="insufficient_scope", scope="a b.c"');
    expect(challenge({ detail: 'reason', scopesRequired: ['a"', 'b\\', 'c d', 'é', 'ok', ''] })).toBe(
      'Bearer error="insufficient_scope", scope="ok"',
    );
    expect(challenge({ detail: 'reason', scopesRequired: [] })).toBe('Bearer error="insufficient_scope"');
  });
});
