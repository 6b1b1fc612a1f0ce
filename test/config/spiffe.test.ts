import { describe, expect, it, test } from 'vitest';
import { BASE, issuesFrom, load, markedIssues } from './load.js';

const AGENT = { SPIFFE_ENDPOINT_SOCKET: 'unix:///run/spire/agent.sock' };
const WITH_API = BASE.replace('prod.example.pem', 'workload-api');
const SPIFFE_KEYS = (extra = '') =>
  `tokens: [{ issuer: a, audiences: [x], keys: "spiffe:prod.example", grants: ["**"]${extra} }]\n`;

function settingsFrom(text: string, env: Record<string, string> = {}) {
  const loaded = load(text, env);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.issues));
  return { ...loaded.settings, folder: loaded.folder };
}

describe('the Workload API', () => {
  it('is where the environment says', () => {
    const { identity, trust } = settingsFrom(WITH_API, AGENT);
    expect(identity).toEqual({ workloadApi: { kind: 'unix', path: '/run/spire/agent.sock' }, svid: { kind: 'none' } });
    expect([...trust.values()][0]?.bundle).toEqual({ kind: 'workload-api', maxStale: 86_400_000 });
  });

  it('is where the configuration says, whatever the environment says', () => {
    const { identity, folder } = settingsFrom(`${WITH_API}identity: { workloadApi: unix:agent.sock }\n`, AGENT);
    expect(identity.workloadApi).toEqual({ kind: 'unix', path: `${folder}/agent.sock` });
    expect(identity.svid).toEqual({ kind: 'workload-api' });
  });

  test.each(['tcp://127.0.0.1:8081', 'tcp://127.9.9.9:8081', 'tcp://[::1]:8081'])('may be %s', (text) => {
    expect(issuesFrom(WITH_API, { SPIFFE_ENDPOINT_SOCKET: text })).toEqual([]);
  });

  test.each([
    ['', 'is not set'],
    ['/run/spire/agent.sock', 'expected unix:PATH or tcp'],
    ['unix:agent.sock', 'expected an absolute path'],
    ['unix://host/agent.sock', 'expected unix:PATH'],
    ['tcp://10.0.0.1:8081', 'expected a loopback address'],
    ['tcp://localhost:8081', 'expected a loopback address'],
    ['tcp://127.0.0.1', 'expected unix:PATH or tcp'],
    ['tcp://127.0.0.1:0', 'expected unix:PATH or tcp'],
    ['127.0.0.1:8081', 'expected unix:PATH or tcp'],
  ])('can not be %j: where it is needed, the start is refused', (text, problem) => {
    const [issue, ...others] = issuesFrom(WITH_API, { SPIFFE_ENDPOINT_SOCKET: text });
    expect(issue?.message).toContain(problem);
    expect(issue?.message).toContain('trust.prod.example.bundle');
    expect(others).toEqual([]);
    expect(issuesFrom(BASE, { SPIFFE_ENDPOINT_SOCKET: text })).toEqual([]);
  });

  test.each([
    ['tcp://10.0.0.1:8081', /expected a loopback address/],
    ['http://127.0.0.1', /expected unix:PATH/],
  ])('is refused in the configuration as %s', (text, problem) => {
    const { expected, got, messages } = markedIssues(`${BASE}identity: { workloadApi: ▸${text} }\n`);
    expect(got).toEqual(expected);
    expect(messages[0]).toMatch(problem);
  });
});

describe('our own SVID', () => {
  it('is in two files', () => {
    const { identity, folder } = settingsFrom(`${BASE}identity: { certificate: svid.pem, key: svid.key }\n`);
    expect(identity.svid).toEqual({ kind: 'files', certificate: `${folder}/svid.pem`, key: `${folder}/svid.key` });
  });

  it.each(['certificate', 'key'])('is not in one: %s alone', (name) => {
    const { got, expected, messages } = markedIssues(`${BASE}▸identity: { ${name}: file }\n`);
    expect(got).toEqual(expected);
    expect(messages[0]).toMatch(/expected a file beside identity\./);
  });
});

describe('the JWT authorities of a trust domain', () => {
  it('are keys by its name, for the types that a JWT-SVID has', () => {
    const [issuer] = settingsFrom(`${BASE}${SPIFFE_KEYS(', types: [at+jwt]')}`).tokens;
    expect(issuer).toMatchObject({ keys: { kind: 'spiffe', domain: 'prod.example' }, types: ['jwt', 'jose'] });
  });

  it('need a domain that is configured', () => {
    const { got, expected, messages } = markedIssues(
      `${BASE}tokens: [{ issuer: a, audiences: [x], keys: ▸"spiffe:other.example" }]\n`,
    );
    expect(got).toEqual(expected);
    expect(messages[0]).toMatch(/"other.example" is not configured in trust/);
  });

  it('are chosen by domain and place: two entries of one domain would both be meant', () => {
    const entry = (issuer: string, extra = '') =>
      `  - { issuer: ${issuer}, audiences: [x], keys: "spiffe:prod.example", grants: ["**"]${extra} }\n`;
    const [issue] = issuesFrom(`${BASE}tokens:\n${entry('a')}${entry('b')}`);
    expect(issue?.message).toContain('another entry already takes SVIDs of "prod.example"');
    expect(issuesFrom(`${BASE}tokens:\n${entry('a')}${entry('b', ', from: header:x-svid')}`)).toEqual([]);
  });

  test.each(['spiffe:', 'spiffe:Prod.example', 'spiffe://prod.example', 'spiffe:prod.example/a'])(
    'are not named by %s',
    (text) => {
      const [issue] = issuesFrom(`${BASE}tokens: [{ issuer: a, audiences: [x], keys: "${text}" }]\n`);
      expect(issue?.message).toContain('expected spiffe: and a trust domain name');
    },
  );
});

describe('an endpoint that shows an SVID', () => {
  const id = 'endpointSpiffeId: spiffe://a/b';
  const withEntry = (entry: string) => BASE.replace('prod.example:', `a: ${entry}, prod.example:`);

  it('is an https URL with an ID and a file', () => {
    const { trust, folder } = settingsFrom(withEntry(`{ bundle: "https://a/b", ${id}, bootstrap: b.json }`));
    expect(trust.get('a' as never)?.bundle).toEqual({
      kind: 'https-spiffe',
      url: 'https://a/b',
      endpoint: 'spiffe://a/b',
      bootstrap: `${folder}/b.json`,
      allow: [],
      maxStale: 86_400_000,
    });
  });

  test.each([
    ['no https', `{ bundle: a.pem, ${id}, bootstrap: b.json }`, 'expected an https bundle beside it'],
    ['no https, by its bootstrap', `{ bundle: a.pem, bootstrap: b.json }`, 'expected an https bundle beside it'],
    ['an ID alone', `{ bundle: "https://a/b", ${id} }`, 'expected a bundle file beside endpointSpiffeId'],
    ['a bootstrap alone', `{ bundle: "https://a/b", bootstrap: b.json }`, 'expected a SPIFFE ID beside bootstrap'],
    [
      'an authority of the web',
      `{ bundle: "https://a/b", ${id}, bootstrap: b.json, bundleCA: ca.pem }`,
      'no authority of the web counts',
    ],
    ['a trust domain for an endpoint', `{ bundle: a.pem, endpointSpiffeId: spiffe://a }`, 'SPIFFE ID with a path'],
  ])('is refused with %s', (_name, entry, problem) => {
    const [issue] = issuesFrom(withEntry(entry));
    expect(issue?.message).toContain(problem);
  });
});
