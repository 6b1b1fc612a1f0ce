import { expect, it } from 'vitest';
import { eventRecord } from '../../src/audit/events.js';

it('writes an event with its time, name and facts, times as ISO', () => {
  const facts = { identity: 'spiffe://d/a', certificate: 'ab', not_after: Date.UTC(2026, 1, 1), serial: '' };
  expect(eventRecord('certificate_expiring', facts, Date.UTC(2026, 0, 1))).toStrictEqual({
    time: '2026-01-01T00:00:00.000Z',
    event: 'certificate_expiring',
    identity: 'spiffe://d/a',
    certificate: 'ab',
    not_after: '2026-02-01T00:00:00.000Z',
  });
});

it('leaves out what the table does not name for the event', () => {
  const wide = { detail: 'broken', private_key: 'canary', dropped: 3, count: 7 };
  expect(eventRecord('audit_failed', wide, 0)).toStrictEqual({
    time: '1970-01-01T00:00:00.000Z',
    event: 'audit_failed',
    detail: 'broken',
    dropped: 3,
  });
});

it('bounds texts and lists', () => {
  const record = eventRecord('policy_refused', { detail: 'x'.repeat(5000), issues: Array<string>(50).fill('i') }, 0);
  expect(Buffer.byteLength(String(record['detail']))).toBe(1024);
  expect(record['issues']).toHaveLength(32);
});
