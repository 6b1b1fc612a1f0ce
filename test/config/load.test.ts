import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { formatConfigIssue, loadConfig } from '../../src/config/load.js';
import { ANY_ID } from '../../src/model/patterns.js';
import { BASE, SMALLEST, load, markedIssues, settingsFrom, shownIssues, issuesFrom } from './load.js';

/** Every key of the contract, features that come later at their inert values. */
const EVERYTHING = `
workload: spiffe://prod.example/ns/shop/sa/orders
environment: prod
listen:
  check: [unix:run/check.sock, "127.0.0.1:9191", "[::1]:9191"]
  socketMode: "0600"
  transport: lean
  tls: { certificate: tls.pem, key: tls.key, clientCA: ca.pem }
  secretFile: secret
  plaintext: false
  reflection: true
  admin: unix:///run/firsthand/admin.sock
  adminTokenFile: admin.token
  health: 0.0.0.0:9193
  metrics: localhost:9194
  drainDelay: 0s
identity: { workloadApi: null, certificate: null, key: null }
trust:
  prod.example:
    bundle: prod.example.pem
    endpointSpiffeId: null
    bootstrap: null
    intermediates: null
    environment: prod
    maxCertificateLifetime: 24h
  partner.example:
    bundle: /etc/partner.json
    intermediates: more.pem
    ceiling: { scopes: [catalog.*], data: public }
  nothing.example: { bundle: n.pem, ceiling: { scopes: [] } }
origin:
  peer: certificate
  xfcc: append-forward
  maxHops: 7
  forwarders:
    - id: spiffe://prod.example/ns/edge/sa/gateway
      origins: [spiffe://prod.example/**]
      behind: []
      originCertificate: optional
    - id: spiffe://prod.example/ns/edge/sa/inner
      origins: [spiffe://prod.example/ns/*/sa/web, spiffe://partner.example/**]
      behind: [spiffe://prod.example/ns/edge/sa/gateway]
      originCertificate: require
  hops: off
tokens:
  - issuer: https://idp.prod.example
    keys: idp.jwks.json
    audiences: [orders, shop]
    algorithms: [ES256, ES256]
    types: [application/at+jwt, JWT, jwt]
    from: header:X-Access-Token
    scopes: permissions
    grants: ["**"]
    presenters: ["spiffe://prod.example/**"]
    identity: "spiffe://prod.example/ns/{ns}/sa/{name}"
    domains: [partner.example]
    binding: window
    keysCA: null
    keysAllow: []
    maxStale: 24h
    pinBy: origin
    suspectAfter: null
    pinScope: workload
    onConflict: later
    maxLifetime: 15m
    clockSkew: 0s
    forward: false
  - issuer: https://kubernetes.default.svc
    keys: k8s.jwks.json
    audiences: [orders]
    grants: [orders.*, stats]
    identity: kubernetes
request:
  allowHeaders: [X-HTTP-Method-Override]
identities: null
kinds: {}
policy:
  scopes: lines
  annotations: null
  reload: restart
  maxLastGood: 1h
  guardrails: "GET /** token"
  ownersMay: [workload, anyone, shadow]
  mode: shadow
  candidate: next-lines
cache: { entries: 1, maxAge: 500ms, pins: 2 }
store: memory
revocation: { file: revoked.ndjson, maxStaleness: 30s, onIncident: alert }
audit: { to: file:audit.ndjson, allowed: sampled:0.01, path: template, onFailure: deny }
log: { level: debug }
denials: { detail: hint }
tracing: { otlp: null }
`;

describe('the smallest useful configuration', () => {
  it('loads with every default', () => {
    const loaded = load(SMALLEST);
    if (!loaded.ok) throw new Error(shownIssues(loaded.issues).join('\n'));
    const { settings, folder } = loaded;
    expect(settings).toEqual({
      workload: null,
      environment: null,
      listen: {
        check: [{ kind: 'unix', path: '/run/firsthand/check.sock' }],
        socketMode: 0o660,
        transport: 'lean',
        tls: null,
        secretFile: null,
        plaintext: false,
        reflection: false,
        admin: { kind: 'tcp', host: '127.0.0.1', port: 9192 },
        adminTokenFile: null,
        health: null,
        metrics: null,
        drainDelay: 5_000,
      },
      identity: { workloadApi: null, svid: { kind: 'none' } },
      trust: new Map([
        [
          'prod.example',
          {
            bundle: { kind: 'file', file: join(folder, 'prod.example.pem') },
            intermediates: null,
            environment: null,
            maxCertificateLifetime: null,
            ceiling: null,
          },
        ],
      ]),
      origin: { peer: 'certificate', xfcc: 'append-forward', maxHops: 5, forwarders: new Map() },
      tokens: [
        {
          issuer: 'https://idp.prod.example',
          keys: { kind: 'file', file: join(folder, 'idp.jwks.json') },
          audiences: ['orders'],
          algorithms: ['ES256', 'ES384', 'PS256', 'RS256', 'EdDSA'],
          types: ['at+jwt', 'jwt'],
          from: 'authorization',
          scopeClaims: ['scope', 'scp'],
          grants: ['**'],
          presenters: [ANY_ID],
          identity: null,
          domains: null,
          binding: 'strongest',
          pinBy: 'origin',
          pinScope: 'workload',
          onConflict: 'later',
          suspectAfter: null,
          maxLifetime: 3_600_000,
          clockSkew: 30_000,
          forward: true,
        },
      ],
      allowHeaders: [],
      policy: {
        source: { kind: 'annotations', file: '/etc/podinfo/annotations' },
        reload: 'live',
        maxLastGood: 86_400_000,
        guardrails: '',
        ownersMay: ['workload'],
        mode: 'enforce',
        candidate: null,
      },
      cache: { entries: 50_000, maxAge: 60_000, pins: 200_000 },
      store: { kind: 'memory' },
      revocation: { file: null, maxStaleness: 60_000, onIncident: null },
      audit: { to: { kind: 'stdout' }, allowedShare: 1, path: 'raw', onFailure: 'allow' },
      logLevel: 'info',
      denials: 'auto',
      warnings: [expect.stringMatching(/^store: memory forgets/)],
    });
  });

  it('needs no tokens', () => {
    expect(settingsFrom(BASE).tokens).toEqual([]);
  });

  it('loads with a byte order mark and with CRLF', () => {
    expect(settingsFrom(`\uFEFF${SMALLEST.replaceAll('\n', '\r\n')}`).tokens).toHaveLength(1);
  });
});

describe('a configuration that writes every key', () => {
  const loaded = load(EVERYTHING);
  const settings = loaded.ok ? loaded.settings : undefined;
  const at = (name: string) => join(loaded.folder, name);

  it('loads, features that come later at their inert values included', () => {
    expect(loaded.ok ? [] : shownIssues(loaded.issues)).toEqual([]);
  });

  it('gives the listeners with absolute paths', () => {
    expect(settings?.listen).toEqual({
      check: [
        { kind: 'unix', path: at('run/check.sock') },
        { kind: 'tcp', host: '127.0.0.1', port: 9191 },
        { kind: 'tcp', host: '::1', port: 9191 },
      ],
      socketMode: 0o600,
      transport: 'lean',
      tls: { certificate: at('tls.pem'), key: at('tls.key'), clientCA: at('ca.pem') },
      secretFile: at('secret'),
      plaintext: false,
      reflection: true,
      admin: { kind: 'unix', path: '/run/firsthand/admin.sock' },
      adminTokenFile: at('admin.token'),
      health: { kind: 'tcp', host: '0.0.0.0', port: 9193 },
      metrics: { kind: 'tcp', host: 'localhost', port: 9194 },
      drainDelay: 0,
    });
  });

  it('gives trust with ceilings, where an empty list of scopes means nothing', () => {
    expect([...(settings?.trust ?? [])].map(([name, { bundle, ceiling }]) => [name, bundle, ceiling])).toEqual([
      ['prod.example', { kind: 'file', file: at('prod.example.pem') }, null],
      ['partner.example', { kind: 'file', file: '/etc/partner.json' }, { scopes: ['catalog.*'], data: 'public' }],
      ['nothing.example', { kind: 'file', file: at('n.pem') }, { scopes: [], data: null }],
    ]);
  });

  it('gives the forwarders by ID', () => {
    const inner = [...(settings?.origin.forwarders.values() ?? [])][1];
    expect(inner?.origins.map(({ text }) => text)).toEqual([
      'spiffe://prod.example/ns/*/sa/web',
      'spiffe://partner.example/**',
    ]);
    expect(inner?.behind).toEqual(new Set(['spiffe://prod.example/ns/edge/sa/gateway']));
    expect(inner?.originCertificate).toBe('require');
  });

  it('gives the issuers with types and headers in lower case', () => {
    expect(settings?.tokens[0]).toMatchObject({
      keys: { kind: 'file', file: at('idp.jwks.json') },
      algorithms: ['ES256'],
      types: ['at+jwt', 'jwt'],
      from: 'x-access-token',
      scopeClaims: ['permissions'],
      domains: ['partner.example'],
      binding: 'window',
      maxLifetime: 900_000,
      clockSkew: 0,
      forward: false,
      identity: {
        kind: 'template',
        parts: [{ text: 'spiffe://prod.example/ns/' }, { claim: 'ns' }, { text: '/sa/' }, { claim: 'name' }],
      },
    });
    expect(settings?.tokens[1]).toMatchObject({ identity: { kind: 'kubernetes' }, grants: ['orders.*', 'stats'] });
  });

  it('gives the rest as written', () => {
    expect(settings).toMatchObject({
      workload: 'spiffe://prod.example/ns/shop/sa/orders',
      environment: 'prod',
      allowHeaders: ['x-http-method-override'],
      policy: {
        source: { kind: 'scopes', file: at('lines') },
        reload: 'restart',
        maxLastGood: 3_600_000,
        guardrails: 'GET /** token',
        ownersMay: ['workload', 'anyone', 'shadow'],
        mode: 'shadow',
        candidate: at('next-lines'),
      },
      cache: { entries: 1, maxAge: 500, pins: 2 },
      revocation: { file: at('revoked.ndjson'), maxStaleness: 30_000, onIncident: null },
      audit: {
        to: { kind: 'file', path: at('audit.ndjson') },
        allowedShare: 0.01,
        path: 'template',
        onFailure: 'deny',
      },
      logLevel: 'debug',
      denials: 'hint',
    });
  });
});

describe('a file that is no configuration', () => {
  it('is an issue at its first place when it can not be read', () => {
    const loaded = loadConfig('does/not/exist.yaml', {}, () => []);
    expect(loaded).toMatchObject({ ok: false, issues: [{ file: 'does/not/exist.yaml', line: 1, column: 1 }] });
    expect(loaded.ok ? '' : loaded.issues[0]?.message).toMatch(/^expected a readable file, got ENOENT/);
  });

  test.each([
    ['empty', '', /^1:1 expected a mapping, got nothing/],
    ['only a comment', '# nothing\n', /^1:1 expected a mapping, got nothing/],
    ['a list', '- a\n', /^1:1 expected a mapping, got a list/],
    ['a text', 'hello', /^1:1 expected a mapping, got "hello"/],
    ['not UTF-8', new Uint8Array([0x61, 0x3a, 0xff]), /^1:1 expected UTF-8 text/],
    ['too large', `# ${'x'.repeat(300_000)}`, /^1:1 expected at most 262144 bytes, got 300002/],
    ['nested without end', '['.repeat(100_000), /^1:1 expected at most 32 levels of nesting/],
    ['nested lists in one line', `a: ${'- '.repeat(1_000)}`, /^1:\d+ /],
    ['two documents', `${BASE}---\n${BASE}`, /^3:1 expected one YAML document/],
    ['YAML 1.1', `%YAML 1.1\n---\n${BASE}`, /^1:1 expected YAML 1.2/],
  ])('is refused when it is %s', (_, text, message) => {
    const loaded = load(text);
    expect(loaded.ok ? [] : shownIssues(loaded.issues).slice(0, 1)).toEqual([expect.stringMatching(message)]);
  });
});

describe('syntax and keys', () => {
  test.each([
    ['a broken flow list', `${BASE}listen:\n  check: [unix:/a\n▸log: {}\n`, /not valid YAML: Flow sequence/],
    ['a tab as indentation', `${BASE}listen:\n▸\tadmin: off\n`, /not valid YAML: Tabs/],
    ['a mapping where a text stands', `${BASE}log: ▸level: info\n`, /not valid YAML/],
    ['a tag', `${BASE}log: { level: ▸!secret info }\n`, /not valid YAML: Unresolved tag/],
    ['an unquoted ${ in a flow mapping', `${BASE}log: { level: $▸{LEVEL} }\n`, /write "\$\{NAME\}", in quotes/],
    ['an unknown key', `${BASE}▸listn: {}\n`, /^unknown key "listn" \(did you mean "listen"\?\)/],
    [
      'an unknown key below',
      `${BASE}origin: { ▸maxhop: 3 }\n`,
      /^unknown key "maxhop" in origin \(did you mean "maxHops"\?\)/,
    ],
    ['an unknown key like no other', `${BASE}▸zzzzzzzzzz: 1\n`, /the nearest known one is/],
    ['a key of every object', `${BASE}▸constructor: 1\n`, /^unknown key "constructor"/],
    ['a merge key', `${BASE}cache: { ▸<<: { pins: 1 } }\n`, /^unknown key "<<" in cache/],
    ['the key __proto__', `${BASE}log: { ▸__proto__: { level: info } }\n`, /"__proto__" is not accepted/],
    [
      'a repeated key',
      `${BASE}log: { level: info, ▸level: debug }\n`,
      /^the key "level" stands here for a second time \(the first one is in line 3/,
    ],
    ['a repeated section', `${BASE}log: {}\ncache: {}\n▸log: {}\n`, /first one is in line 3/],
    ['an alias to nothing', `${BASE}log: { level: ▸*level }\n`, /the anchor "level" is not known/],
    ['an alias within itself', `${BASE}log: &a { level: ▸*a }\n`, /within its own anchor/],
    [
      'a missing key',
      `${BASE}tokens:\n  - ▸issuer: a\n    keys: b\n`,
      /^tokens\[0\]\.audiences is required: expected a list/,
    ],
    [
      'a missing bundle',
      `policy: { scopes: a }\ntrust:\n  ▸prod.example: {}\n`,
      /^trust\.prod\.example\.bundle is required/,
    ],
    ['an empty section', `${BASE}▸cache:\n`, /^cache: expected a mapping, got nothing/],
  ])('%s is an issue at its own place', (_, marked, message) => {
    const { expected, got, messages } = markedIssues(marked);
    expect(messages).toEqual([expect.stringMatching(message)]);
    expect(got).toEqual(expected);
  });

  it('an alias to a value is that value', () => {
    const text = `${BASE}cache: { entries: &many 7, pins: *many }\n`;
    expect(settingsFrom(text).cache).toMatchObject({ entries: 7, pins: 7 });
  });

  it('aliases that multiply are refused, not expanded', () => {
    const lines = Array.from({ length: 9 }, (_, i) => `a${i}: &a${i} [${`*a${i - 1}, `.repeat(i === 0 ? 0 : 9)}x]`);
    expect(issuesFrom(`${BASE}${lines.join('\n')}\n`).map(({ message }) => message)).toContain(
      'expected at most 10000 values, aliases counted as often as they are used',
    );
  });
});

describe('several mistakes', () => {
  it('are all reported in one run, in the order of the file', () => {
    const { expected, got, messages } = markedIssues(`${BASE}listen:
  drainDelay: ▸soon
  ▸admn: off
tokens:
  - { issuer: a, keys: ▸http://idp, audiences: [x] }
origin: { peer: principal, xfcc: ▸ignore }
log: { level: "▸\${LEVEL}" }
`);
    expect(messages).toHaveLength(5);
    expect(got).toEqual(expected);
  });

  it('do not hide a rule about other keys of the same section, nor entries behind a bad one', () => {
    const { expected, got } = markedIssues(`${BASE}listen: { check: [▸"", ▸"127.0.0.1:1"], ▸sockets: 1 }
origin:
  forwarders:
    - ▸id: spiffe://prod.example/a
    - { id: spiffe://prod.example/b, origins: [▸relative/**], behind: [spiffe://prod.example/a] }
    - { id: spiffe://prod.example/c, origins: [spiffe://prod.example/**], behind: [▸spiffe://prod.example/x] }
`);
    expect(got).toEqual(expected);
  });

  it('are reported once: what depends on a refused value stays silent', () => {
    const { expected, got } = markedIssues(`workload: spiffe://other.example/a
trust: { ▸"\${DOMAIN}": { bundle: a } }
policy: { annotations: ▸5 }
listen: { check: "127.0.0.1:1", ▸tls: { certificate: a } }
tokens: [{ issuer: a, keys: b, audiences: [▸""] }]
`);
    expect(got).toEqual(expected);
  });
});

describe('formatConfigIssue', () => {
  it('writes one line with the place first and the hint last', () => {
    const issue = { file: 'a.yaml', line: 2, column: 3, message: 'expected x, got y' };
    expect(formatConfigIssue(issue)).toBe('a.yaml:2:3: error: expected x, got y');
    expect(formatConfigIssue({ ...issue, hint: 'write x' })).toBe('a.yaml:2:3: error: expected x, got y (write x)');
  });
});
