import { describe, expect, it, test } from 'vitest';
import { BASE, issuesFrom, markedIssues, settingsFrom } from './load.js';

const ISSUER = 'https://idp.example';
const token = (extra: string, issuer = ISSUER): string =>
  `${BASE}tokens: [{ issuer: "${issuer}", audiences: [x], ${extra} }]\n`;
const trust = (extra: string): string => `trust: { a.example: { ${extra} } }\npolicy: { scopes: lines }\n`;

describe('keys', () => {
  it('from a URL come with its rules', () => {
    const [entry] = settingsFrom(
      token(
        'keys: "https://idp.example/keys?v=1", keysCA: /etc/ca.pem, keysAllow: [10.1.0.0/16, "fd00::1"], maxStale: 2h',
      ),
    ).tokens;
    expect(entry?.keys).toEqual({
      kind: 'https',
      url: 'https://idp.example/keys?v=1',
      ca: '/etc/ca.pem',
      allow: ['10.1.0.0/16', 'fd00::1'],
      maxStale: 7_200_000,
    });
  });

  it('from discovery are found by the issuer', () => {
    const [entry] = settingsFrom(token('keys: oidc')).tokens;
    expect(entry?.keys).toEqual({ kind: 'oidc', issuer: ISSUER, ca: null, allow: [], maxStale: 86_400_000 });
  });

  it('in a file called oidc are written as a path', () => {
    expect(settingsFrom(token('keys: ./oidc')).tokens[0]?.keys.kind).toBe('file');
  });
});

describe('a bundle', () => {
  it('from a URL comes with its rules', () => {
    const settings = settingsFrom(trust('bundle: "https://a.example/bundle", bundleCA: /ca.pem, maxStale: 1h'));
    expect([...settings.trust.values()][0]?.bundle).toEqual({
      kind: 'https',
      url: 'https://a.example/bundle',
      ca: '/ca.pem',
      allow: [],
      maxStale: 3_600_000,
    });
  });
});

describe('a source elsewhere', () => {
  test.each<[string, string, RegExp]>([
    ['over http', token('keys: ▸http://idp.example/keys'), /expected an https URL.*over http/],
    ['with a user', token('keys: ▸"https://me:hunter2@idp.example/keys"'), /without a user or password/],
    ['with a fragment', token('keys: ▸"https://idp.example/keys#now"'), /without a fragment/],
    ['without a host', token('keys: ▸"https://"'), /expected an https URL, got "https:\/\/"/],
    ['as a bundle over http', trust('bundle: ▸http://a.example/b'), /expected an https URL/],
    ['of another scheme', token('keys: ▸ftp://idp.example/keys'), /expected a file, got the URL/],
    ['with a range that is none', token('keys: oidc, keysAllow: [▸10.0.0.0/33]'), /expected a range of addresses/],
    ['with a name as a range', token('keys: oidc, keysAllow: [▸idp.example]'), /expected a range of addresses/],
    ['with a broken range', token('keys: oidc, keysAllow: [▸10.0.0.0/8/8]'), /expected a range of addresses/],
    ['that may be stale for no time', token('keys: oidc, maxStale: ▸0s'), /from 1s to 365d/],
  ])('%s is refused', (_, marked, message) => {
    const { expected, got, messages } = markedIssues(marked);
    expect(got).toEqual(expected);
    expect(messages).toEqual([expect.stringMatching(message)]);
  });

  it('does not tell the password that should not be there', () => {
    const [issue] = issuesFrom(token('keys: "https://me:hunter2@idp.example/keys"'));
    expect(JSON.stringify(issue)).not.toContain('hunter2');
  });

  test.each<[string, string]>([
    ['keysCA', token('keys: k.json, keysCA: ▸ca.pem')],
    ['keysAllow', token('keys: k.json, keysAllow: ▸[10.0.0.0/8]')],
    ['bundleCA', trust('bundle: a.pem, bundleCA: ▸ca.pem')],
    ['bundleAllow', trust('bundle: a.pem, bundleAllow: ▸[10.0.0.0/8]')],
  ])('%s beside a file is refused: it would protect nothing', (_, marked) => {
    const { expected, got, messages } = markedIssues(marked);
    expect(got).toEqual(expected);
    expect(messages).toEqual([expect.stringContaining('with an https URL only')]);
  });

  test.each(['http://idp.example', 'idp', 'https://idp.example?a', 'https://idp.example#a', 'https://a:b@idp.example'])(
    'discovery with the issuer %s is refused',
    (issuer) => {
      const [issue, ...others] = issuesFrom(token('keys: oidc', issuer));
      expect(issue?.message).toContain('tokens[0].issuer: with keys: oidc expected an https URL');
      expect(others).toEqual([]);
    },
  );
});
