import { describe, expect, it, test } from 'vitest';
import { BASE, issuesFrom, markedIssues, settingsFrom } from './load.js';

const token = (extra: string, issuer = 'https://a') =>
  `  - { issuer: "${issuer}", keys: k.json, audiences: [x]${extra === '' ? '' : `, ${extra}`} }\n`;
const tokens = (...extras: string[]) => `${BASE}tokens:\n${extras.map((extra) => token(extra)).join('')}`;
const forwarder = (extra: string) => `${BASE}origin: { forwarders: [{ ${extra} }] }\n`;
const listen = (extra: string) => `${BASE}listen: { ${extra} }\n`;

describe('words whose feature comes later', () => {
  test.each([
    ['origin.hops', `${BASE}origin: { hops: ▸accept }\n`],
    ['origin.hops', `${BASE}origin: { hops: ▸require }\n`],
    ['identities', `${BASE}identities: ▸identities.yaml\n`],
    ['kinds', `${BASE}kinds: ▸{ agent: {} }\n`],
    ['tracing.otlp', `${BASE}tracing: { otlp: ▸http://collector }\n`],
  ])('%s is refused with its name and value: %s', (name, marked) => {
    const { expected, got, messages } = markedIssues(marked);
    expect(got).toEqual(expected);
    expect(messages).toEqual([expect.stringContaining(`${name}: `)]);
    expect(messages).toEqual([expect.stringContaining('not yet supported')]);
  });
});

describe('values', () => {
  test.each<[string, string, RegExp]>([
    ['an incident without a time', `${BASE}revocation: { onIncident: ▸revoke }\n`, /expected alert or revoke:DURATION/],
    ['an incident for no time', `${BASE}revocation: { onIncident: ▸revoke:0s }\n`, /expected alert or revoke:DURATION/],
    ['a duration without unit', listen('drainDelay: ▸5'), /expected a text, got 5/],
    ['a duration in words', listen('drainDelay: ▸5 seconds'), /expected a duration, got "5 seconds"/],
    ['a sum of durations', listen('drainDelay: ▸1m30s'), /expected a duration/],
    ['a negative duration', listen('drainDelay: ▸-5s'), /expected a duration/],
    ['a duration above its bound', listen('drainDelay: ▸11m'), /expected a duration from 0s to 10m, got 11m/],
    ['a zero where zero makes no sense', `${BASE}cache: { maxAge: ▸0s }\n`, /from 1ms to 1d, got 0ms/],
    ['no entries', `${BASE}cache: { entries: ▸0 }\n`, /expected a whole number from 1 to 10000000, got 0/],
    ['half an entry', `${BASE}cache: { pins: ▸1.5 }\n`, /expected a whole number from 1 to 10000000, got 1.5/],
    ['too many entries', `${BASE}cache: { pins: ▸1e12 }\n`, /expected a whole number/],
    ['a number as text', `${BASE}cache: { pins: ▸"5" }\n`, /expected a whole number from 1 to 10000000, got "5"/],
    ['a boolean as text', listen('reflection: ▸"true"'), /expected true or false, got "true" .*always text/],
    ['a socket mode without quotes', listen('socketMode: ▸0660'), /expected a text, got 660 \(write it in quotes/],
    ['a socket mode with bits for set-uid', listen('socketMode: ▸"4660"'), /file mode in octal digits/],
    ['a socket mode that is not octal', listen('socketMode: ▸"0680"'), /file mode in octal digits/],
    ['no address', listen('check: ▸[]'), /expected at least one address/],
    ['a number as address', listen('check: ▸9191'), /expected an address or a list of addresses, got 9191/],
    ['a port alone', listen('check: ▸":9191"'), /unix:PATH or HOST:PORT, got ":9191" \(name the host/],
    ['a star as host', listen('admin: ▸"*:9191"'), /name the host/],
    ['a host alone', listen('check: [▸localhost]'), /unix:PATH or HOST:PORT, got "localhost"/],
    ['a port that does not exist', listen('admin: ▸127.0.0.1:65536'), /a port is a number up to 65535/],
    ['an IPv6 address without brackets', listen('admin: ▸"::1:9192"'), /stands in brackets/],
    ['a broken IPv4 address', listen('admin: ▸127.0.0.256:9192'), /HOST is a name/],
    ['an empty socket path', listen('check: ▸"unix:"'), /expected unix:PATH/],
    ['a socket URL with an authority', listen('check: ▸unix://run/a.sock'), /expected unix:PATH/],
    ['an abstract socket', listen('check: ▸"unix:@firsthand"'), /expected unix:PATH/],
    [
      'a socket path that the system would cut',
      listen(`check: ▸unix:/${'a'.repeat(107)}`),
      /at most 107 bytes, got 108/,
    ],
    [
      'an address used twice',
      listen('check: [unix:/a, ▸unix:///a]'),
      /"unix:\/a" is used twice \(also by listen.check\[0\]\)/,
    ],
    [
      'an address used by two listeners',
      listen('health: ▸127.0.0.1:9192'),
      /used twice \(also by the default of listen.admin\)/,
    ],
    ['health on a Unix socket', listen('health: ▸unix:/a'), /expected HOST:PORT or off/],
    ['a switch as boolean', listen('admin: ▸false'), /expected a text, got false/],
    ['TCP without protection', listen('check: [unix:/a, ▸"0.0.0.0:1"]'), /tls, secretFile or plaintext/],
    ['TCP without protection, alone', listen('check: ▸"[::1]:1"'), /tls, secretFile or plaintext/],
    ['tls without a key', listen('▸tls: { certificate: a }'), /^listen.tls.key is required: expected a text/],
    ['a URL as file', listen('secretFile: ▸http://a/b'), /expected a file, got the URL "http:/],
    ['an empty file name', listen('secretFile: ▸""'), /expected a file, got an empty text/],
    ['no trust domain', `policy: { scopes: a }\ntrust: ▸{}\n`, /at least one trust domain/],
    [
      'a trust domain in capitals',
      `policy: { scopes: a }\ntrust: { ▸Prod: { bundle: a } }\n`,
      /expected a trust domain name, got "Prod"/,
    ],
    [
      'a trust domain as ID',
      `policy: { scopes: a }\ntrust: { ▸"spiffe://a": { bundle: a } }\n`,
      /expected a trust domain name/,
    ],
    [
      'an unknown label',
      `policy: { scopes: a }\ntrust: { a: { bundle: a, ceiling: { data: ▸secret } } }\n`,
      /expected public, internal, confidential or restricted, got "secret"/,
    ],
    [
      'a scope pattern with a star inside',
      `policy: { scopes: a }\ntrust: { a: { bundle: a, ceiling: { scopes: [▸"a*"] } } }\n`,
      /expected a scope pattern, got "a\*"/,
    ],
    ['a scope pattern with two stars', tokens('grants: [▸"a.**"]'), /a literal scope, prefix\.\* or \*\*/],
    ['a workload without path', `${BASE}workload: ▸spiffe://prod.example\n`, /expected a SPIFFE ID with a path/],
    [
      'a workload of an unknown domain',
      `${BASE}workload: ▸spiffe://stage.example/a\n`,
      /"stage.example" is not configured in trust \(configured: "prod.example"\)/,
    ],
    [
      'peer: xfcc with ignore',
      `${BASE}origin: { peer: xfcc, xfcc: ▸ignore }\n`,
      /expected append-forward or sanitize-set with peer: xfcc, got "ignore"/,
    ],
    [
      'peer: xfcc with forward-only',
      `${BASE}origin: { xfcc: ▸forward-only, peer: xfcc }\n`,
      /expected append-forward or sanitize-set/,
    ],
    ['peer: principal with ignore', `${BASE}origin: { peer: principal, xfcc: ▸ignore }\n`, /peer: principal/],
    [
      'peer: principal with forward-only',
      `${BASE}origin: { peer: principal, xfcc: ▸forward-only }\n`,
      /peer: principal/,
    ],
    ['no hop', `${BASE}origin: { maxHops: ▸0 }\n`, /from 1 to 15, got 0/],
    ['too many hops', `${BASE}origin: { maxHops: ▸16 }\n`, /from 1 to 15, got 16/],
    ['a forwarder as pattern', forwarder('id: ▸"spiffe://a/*", origins: ["spiffe://a/**"]'), /expected a SPIFFE ID/],
    ['a forwarder for nobody', forwarder('id: spiffe://a/b, origins: ▸[]'), /at least one entry/],
    ['a forwarder without origins', `${BASE}origin: { forwarders: [▸{ id: spiffe://a/b }] }\n`, /origins is required/],
    ['relative origins', forwarder('id: spiffe://a/b, origins: [▸ns/**]'), /names its trust domain, got "ns\/\*\*"/],
    ['origins of any domain', forwarder('id: spiffe://a/b, origins: [▸"**"]'), /names its trust domain, got "\*\*"/],
    [
      'a pattern for the trust domain',
      forwarder('id: spiffe://a/b, origins: [▸"spiffe://*/a"]'),
      /the trust domain of a pattern is literal/,
    ],
    [
      'an unlisted forwarder behind',
      forwarder('id: spiffe://a/b, origins: ["spiffe://a/**"], behind: [▸spiffe://a/c]'),
      /expected a listed forwarder/,
    ],
    ['an empty issuer', `${BASE}tokens: [{ issuer: ▸"", keys: k, audiences: [x] }]\n`, /got an empty one/],
    ['an issuer with a space behind', `${BASE}tokens: [{ issuer: ▸"a ", keys: k, audiences: [x] }]\n`, /spaces around/],
    ['no audience', `${BASE}tokens: [{ issuer: a, keys: k, audiences: ▸[] }]\n`, /at least one entry/],
    [
      'an audience without list',
      `${BASE}tokens: [{ issuer: a, keys: k, audiences: ▸x }]\n`,
      /expected a list, got "x" \(write it as a list: \["x"\]\)/,
    ],
    ['the algorithm none', tokens('algorithms: [ES256, ▸none]'), /got "none" \(.*not signed/],
    ['an HMAC algorithm', tokens('algorithms: [▸HS512]'), /got "HS512" \(HMAC keys are shared secrets/],
    ['an unknown algorithm', tokens('algorithms: [▸ES257]'), /did you mean "ES256"/],
    ['no algorithm', tokens('algorithms: ▸[]'), /at least one entry/],
    ['an empty type', tokens('types: [▸""]'), /expected a typ value/],
    ['a query parameter as place', tokens('from: ▸query:token'), /expected authorization or header:NAME/],
    ['a pseudo header as place', tokens('from: ▸"header::path"'), /expected authorization or header:NAME/],
    ['the authorization header by name', tokens('from: ▸header:Authorization'), /write from: authorization/],
    ['XFCC as place', tokens('from: ▸header:X-Forwarded-Client-Cert'), /cannot carry a token/],
    ['a header of ours as place', tokens('from: ▸header:x_firsthand_origin'), /cannot carry a token/],
    ['relative presenters', tokens('presenters: [▸"ns/**"]'), /names its trust domain/],
    ['a template with an open brace', tokens('identity: ▸"{sub"'), /every \{ of the template/],
    ['a template without claim', tokens('identity: ▸"spiffe://a/b"'), /a template with a \{claim\}/],
    ['a template with an empty claim', tokens('identity: ▸"spiffe://a/{}"'), /every \{ of the template/],
    ['a template that is no ID', tokens('identity: ▸"ns/{ns}"'), /a template of a SPIFFE ID/],
    ['a template that ends in a slash', tokens('identity: ▸"spiffe://a/{b}/"'), /a template of a SPIFFE ID/],
    ['a domain as ID', tokens('domains: [▸spiffe://a]'), /expected a trust domain name/],
    ['an unknown binding', tokens('binding: ▸strong'), /did you mean "strongest"/],
    ['a zero lifetime', tokens('maxLifetime: ▸0s'), /from 1ms/],
    ['a skew of an hour', tokens('clockSkew: ▸1h'), /from 0s to 10m, got 1h/],
    [
      'the same issuer and type twice',
      tokens('types: [JWT]', 'types: [application/jwt]').replace(/(\n {2}- )(?=.*application)/, '$1▸'),
      /already takes typ "jwt" from "authorization" \(tokens\[0\] does/,
    ],
    [
      'a header that is not refused',
      `${BASE}request: { allowHeaders: [▸x-forwarded-for] }\n`,
      /one of x-http-method-override, x-http-method, x-method-override, x-original-url or x-rewrite-url/,
    ],
    [
      'neither source of lines',
      `trust: { a: { bundle: b } }\npolicy: ▸{ reload: live }\n`,
      /expected annotations or scopes, got neither/,
    ],
    [
      'both sources of lines',
      BASE.replace('annotations:', '▸scopes: a, annotations:'),
      /expected annotations or scopes, got both/,
    ],
    [
      'an unknown right',
      BASE.replace('annotations:', 'ownersMay: [▸anybody], annotations:'),
      /expected workload, anyone or shadow, got "anybody" \(did you mean "anyone"\?\)/,
    ],
    ['a record to nowhere', `${BASE}audit: { to: ▸"file:" }\n`, /expected stdout or file:PATH/],
    ['a record to stderr', `${BASE}audit: { to: ▸stderr }\n`, /expected stdout or file:PATH/],
    ['a share of nothing', `${BASE}audit: { allowed: ▸sampled:0 }\n`, /above 0 and is at most 1/],
    ['a share above all', `${BASE}audit: { allowed: ▸sampled:1.5 }\n`, /above 0 and is at most 1/],
    ['a share in percent', `${BASE}audit: { allowed: ▸sampled:1% }\n`, /expected all, none or sampled:SHARE/],
    [
      'an unknown level',
      `${BASE}log: { level: ▸verbose }\n`,
      /expected trace, debug, info, warn, error, fatal or silent/,
    ],
    ['an unknown detail', `${BASE}denials: { detail: ▸all }\n`, /expected none, reason, hint or auto/],
    ['an unknown store', `${BASE}store: ▸disk\n`, /expected redis:\/\/ or rediss:\/\/HOST:PORT\/DB, got "disk"/],
  ])('%s is refused at its place', (_, marked, message) => {
    const { expected, got, messages } = markedIssues(marked);
    expect(messages).toEqual([expect.stringMatching(message)]);
    expect(got).toEqual(expected);
  });

  it('a missing policy is an issue at the beginning', () => {
    expect(issuesFrom('\ntrust: { a: { bundle: b } }\n')).toMatchObject([
      { line: 2, column: 1, message: 'policy: expected annotations or scopes, got neither' },
    ]);
  });

  it('a missing trust is an issue at the beginning', () => {
    expect(issuesFrom('policy: { scopes: a }\n')).toMatchObject([{ line: 1, column: 1 }]);
  });

  it('a forwarder that is listed twice is refused at the second one', () => {
    const entry = 'origins: ["spiffe://prod.example/**"] }\n';
    const { expected, got } = markedIssues(
      `${BASE}origin:\n  forwarders:\n    - { id: spiffe://a/b, ${entry}    - { id: ▸spiffe://a/b, ${entry}`,
    );
    expect(got).toEqual(expected);
  });
});

describe('what is accepted besides', () => {
  test.each([
    ['one address without a list', listen('check: unix:/a')],
    ['TCP with tls', listen('check: "0.0.0.0:1", tls: { certificate: a, key: b }')],
    ['TCP with a secret', listen('check: "0.0.0.0:1", secretFile: s')],
    ['TCP in plaintext where it is said', listen('check: "0.0.0.0:1", plaintext: true')],
    [
      'any free port, twice',
      listen('check: ["127.0.0.1:0"], plaintext: true, admin: 127.0.0.1:0, health: 127.0.0.1:0'),
    ],
    ['a socket path of 107 bytes', listen(`check: unix:/${'a'.repeat(106)}`)],
    ['no admin', listen('admin: off, health: off, metrics: off')],
    ['the other transport', listen('transport: grpc-js')],
    ['no identity', `${BASE}identity: {}\n`],
    ['peer: xfcc with sanitize-set', `${BASE}origin: { peer: xfcc, xfcc: sanitize-set }\n`],
    ['peer: principal with append-forward', `${BASE}origin: { peer: principal }\n`],
    ['peer: certificate with ignore', `${BASE}origin: { xfcc: ignore }\n`],
    ['peer: certificate with forward-only', `${BASE}origin: { xfcc: forward-only }\n`],
    ['a template of one claim', tokens('identity: "{sub}"')],
    ['the same issuer with other types', tokens('types: [at+jwt]', 'types: [JWT]')],
    ['the same issuer in another place', tokens('', 'from: header:x-token')],
    [
      'two issuers that say what they give',
      `${BASE}tokens:\n${token('grants: [a]')}${token('grants: []', 'https://b')}`,
    ],
    ['an issuer that nobody may present', tokens('presenters: []')],
    ['all records, by share', `${BASE}audit: { allowed: sampled:1 }\n`],
  ])('%s', (_, text) => {
    expect(issuesFrom(text)).toEqual([]);
  });

  it('two issuers without grants are refused, each at its entry', () => {
    const { expected, got, messages } = markedIssues(`${BASE}tokens:
  - ▸issuer: https://a
    keys: k
    audiences: [x]
  - { issuer: https://b, keys: k, audiences: [x], grants: ▸null }
`);
    expect(got).toEqual(expected);
    expect(messages[0]).toMatch(/^tokens\[0\]\.grants is required where tokens names several issuers/);
  });

  it.each([
    ['identity: "{sub}", binding: ', 'identity'],
    ['identity: kubernetes, binding: ', 'window'],
    ['identity: kubernetes, domains: [prod.example], binding: ', 'identity'],
    ['identity: "{sub}", domains: [a.example, b.example], binding: ', 'identity'],
    ['binding: ', 'exact'],
    ['binding: ', 'window'],
    ['binding: ', 'strongest'],
  ])('a binding that something can hold is taken: %s%s', (before, binding) => {
    expect(issuesFrom(tokens(`${before}${binding}`))).toEqual([]);
  });

  it.each([
    ['binding: ▸identity', 'expected identity beside binding: identity, got none'],
    ['identity: null, binding: ▸identity', 'expected identity beside binding: identity, got none'],
    [
      'identity: kubernetes, domains: ▸[a.example, b.example]',
      'expected one trust domain with identity: kubernetes, got 2',
    ],
  ])('a binding that no token can ever hold is refused: %s', (keys, message) => {
    const { expected, got, messages } = markedIssues(tokens(keys));
    expect(got).toEqual(expected);
    expect(messages).toEqual([expect.stringContaining(message)]);
  });

  it('a binding beside an identity that is wrong is not reported as well', () => {
    expect(issuesFrom(tokens('identity: nobody, binding: identity'))).toEqual([
      expect.objectContaining({ message: expect.stringContaining('{claim}') as string }),
    ]);
  });

  it('an empty list of domains means the own one', () => {
    expect(settingsFrom(tokens('domains: []')).tokens[0]?.domains).toBeNull();
  });
});

describe('warnings', () => {
  const warnings = (extra: string) => settingsFrom(`${BASE}${extra}\n`).warnings;

  it('say that a plaintext listener is open, and only then', () => {
    expect(warnings('listen: { check: "127.0.0.1:1", plaintext: true }')).toContainEqual(
      expect.stringMatching(/plaintext/),
    );
    expect(warnings('listen: { check: "127.0.0.1:1", plaintext: true, secretFile: s }')).toHaveLength(1);
    expect(warnings('listen: { plaintext: true }')).toHaveLength(1);
  });

  it('say that the peer is not verified, and only then', () => {
    expect(warnings('origin: { peer: principal }')).toContainEqual(expect.stringContaining('peer_not_verified'));
    expect(warnings('origin: { peer: xfcc }')).toHaveLength(1);
    const shadow = settingsFrom(BASE.replace('annotations:', 'mode: shadow, annotations:')).warnings;
    expect(shadow).toContainEqual(expect.stringContaining('policy.mode: shadow'));
  });
});
