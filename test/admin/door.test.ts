import { describe, expect, it } from 'vitest';
import { holdsToken, isOurHost } from '../../src/admin/door.js';

describe('a Host header', () => {
  it.each(['127.0.0.1', '10.1.2.3:9192', '[::1]', '[::1]:9192', '[2001:db8::7]:80', 'localhost', 'LocalHost:1'])(
    'that says %s is us',
    (host) => expect(isOurHost([host])).toBe(true),
  );

  it.each([
    'evil.example',
    'localhost.evil.example',
    'evil.example:9192',
    '127.0.0.1.evil.example',
    '127.0.0.1@evil.example',
    '::1',
    '[::1',
    '[127.0.0.1]',
    '[evil]',
    '127.1',
    '0x7f.0.0.1',
    '1.2.3.4:port',
    '1.2.3.4:123456',
    'localhost ',
    '',
  ])('that says %s is not', (host) => expect(isOurHost([host])).toBe(false));

  it('that is missing or comes twice is not', () => {
    expect(isOurHost(undefined)).toBe(false);
    expect(isOurHost([])).toBe(false);
    expect(isOurHost(['localhost', 'localhost'])).toBe(false);
  });
});

describe('an Authorization header', () => {
  it.each(['Bearer s3cret', 'bearer s3cret', 'BEARER   s3cret'])('that says %s holds the token', (value) =>
    expect(holdsToken([value], 's3cret')).toBe(true),
  );

  it.each(['Bearer s3cre', 'Bearer s3crett', 'Bearer S3CRET', 's3cret', 'Basic s3cret', 'Bearer', 'Bearer ', ''])(
    'that says %j does not',
    (value) => expect(holdsToken([value], 's3cret')).toBe(false),
  );

  it('opens nothing when it is missing, comes twice, or the token is empty', () => {
    expect(holdsToken(undefined, 's3cret')).toBe(false);
    expect(holdsToken(['Bearer s3cret', 'Bearer s3cret'], 's3cret')).toBe(false);
    expect(holdsToken(['Bearer '], '')).toBe(false);
    expect(holdsToken(['Bearer x'], '')).toBe(false);
  });
});
