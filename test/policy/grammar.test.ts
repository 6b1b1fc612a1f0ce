import { describe, expect, it } from 'vitest';
import type { Line } from '../../src/model/policy.js';
import { parseLines } from '../../src/policy/grammar.js';

const parse = (text: string) => parseLines(text, { rights: 'all' });

function lineOf(text: string): Line {
  const { lines, issues } = parse(text);
  expect(issues).toEqual([]);
  const [line] = lines;
  if (line === undefined) throw new Error('no line');
  return line;
}

/** `line:column code` of every issue. */
const placesOf = (text: string): string[] =>
  parse(text).issues.map(({ line, column, code }) => `${String(line)}:${String(column)} ${code}`);

const textOf = (text: string): string =>
  parse(text)
    .issues.map(({ message, hint }) => `${message} (${hint ?? ''})`)
    .join('\n');

describe('scope lines', () => {
  it('are read from the example of the contract', () => {
    const { lines, issues } = parse(`
# method  path                    scopes               conditions
GET       /orders/{id}            orders.read
POST      /orders                 orders.write         age<=5m
DELETE    /orders/{id}            orders.admin         from=ns/ops/sa/* fresh
GET,HEAD  /catalog/**             catalog.read|public.read  data=public from=ns/**,outside@ns/edge/sa/gateway
PUT       /orders/{id}/refund     orders.write+refunds.write  data=restricted bound
GRPC      shop.v1.Cart/Add        cart.write
GET       /internal/stats         workload             from=ns/monitoring/sa/*
`);
    expect(issues).toEqual([]);
    expect(lines.map(({ number }) => number)).toEqual([3, 4, 5, 6, 7, 8, 9]);
    expect(lines[1]?.conditions.maxAge).toBe(300_000);
    expect(lines[2]?.conditions).toMatchObject({ fresh: true, once: false, from: { outside: [] } });
    expect(lines[3]).toMatchObject({
      methods: { kind: 'named', names: ['GET', 'HEAD'] },
      path: { text: '/catalog/**', segments: [{ kind: 'literal', text: 'catalog' }], rest: true },
      scopes: { kind: 'any', scopes: ['catalog.read', 'public.read'] },
      conditions: { data: 'public', from: { origins: [{ text: 'ns/**' }], outside: [{ text: 'ns/edge/sa/gateway' }] } },
    });
    expect(lines[4]).toMatchObject({
      scopes: { kind: 'all', scopes: ['orders.write', 'refunds.write'] },
      conditions: { bound: 'any', data: 'restricted' },
    });
  });

  it('declare nothing where the text is empty, blank or comments only', () => {
    for (const text of ['', '\n', '   \t\r\n', '# all\n\t# of it “quoted” \u00a0 \u200b'])
      expect(parse(text)).toEqual({ lines: [], issues: [] });
  });

  it('take spaces, tabs, CRLF, and a comment behind the last word', () => {
    expect(lineOf('\tGET  /a\tx.read   fresh # why\r\n').conditions.fresh).toBe(true);
    expect(lineOf('GET /a x#y').scopes).toEqual({ kind: 'all', scopes: ['x#y'] });
  });

  it('report all issues at once, each at its word', () => {
    expect(placesOf('get /a a\nGET a a\nGET /a a+b|c\nGET /a a frm=x  age=5m\nGET /b b')).toEqual([
      '1:1 method',
      '2:5 path',
      '3:8 scopes',
      '4:10 condition_unknown',
      '4:17 condition_value',
    ]);
    expect(parse('get /a a\nGET /b b').lines).toHaveLength(1);
    expect(placesOf('  GTE  /a*  a++b  bogus')).toEqual([
      '1:3 method',
      '1:8 path',
      '1:13 scopes',
      '1:19 condition_unknown',
    ]);
  });
});

describe('characters and limits', () => {
  const strange: [string, string][] = [
    ['\u00a0', 'U+00A0'],
    ['\u200b', 'U+200B'],
    ['\ufeff', 'U+FEFF'],
    ['\u2028', 'U+2028'],
    ['\u202e', 'U+202E'],
    ['\u2066', 'U+2066'],
    ['\u00ad', 'U+00AD'],
    ['\u3164', 'U+3164'],
    ['\u2800', 'U+2800'],
    ['\u000b', 'U+000B'],
    ['\u0000', 'U+0000'],
    ['\u007f', 'U+007F'],
    ['\u0085', 'U+0085'],
    ['\ufe0f', 'U+FE0F'],
    ['\u{e0001}', 'U+E0001'],
    ['\ud800', 'U+D800'],
  ];
  it.each(strange)('%j is an error that names it', (character, name) => {
    const text = `GET /a a\nGET /b${character} b`;
    expect(placesOf(text)).toEqual(['2:7 character']);
    expect(textOf(text)).toContain(name);
  });

  it('a character inside double quotes counts too, but one in a comment does not', () => {
    expect(placesOf('GET /a a when="x\u00a0y"')).toEqual(['1:17 character']);
    expect(placesOf('GET /a a # caf\u00e9\u00a0\u200b')).toEqual([]);
  });

  it('a carriage return alone is an error, even in a comment and at the very end', () => {
    expect(placesOf('GET /a a # x\rGET /b anyone')).toEqual(['1:13 character']);
    expect(placesOf('GET /a a\r')).toEqual(['1:9 character']);
    expect(placesOf('GET /a a\r\r\n')).toEqual(['1:9 character']);
  });

  it('a double quote that stays open is an error, and "#" inside quotes is no comment', () => {
    expect(placesOf('GET /a a when="x y')).toEqual(['1:10 syntax']);
    expect(placesOf('GET /a a when="x # y"')).toEqual(['1:10 not_supported']);
  });

  it('1,000 lines are read, 1,001 are not', () => {
    const lines = (count: number): string =>
      Array.from({ length: count }, (_, index) => `GET /a${String(index)} a\n`).join('');
    expect(parse(lines(1000)).lines).toHaveLength(1000);
    expect(parse(lines(1000).trimEnd()).lines).toHaveLength(1000);
    expect(placesOf(lines(1001))).toEqual(['1001:1 limit']);
  });

  it('64 KiB are read, a byte more is not', () => {
    const full = `GET /a a #${'é'.repeat((65536 - 10) / 2)}`;
    expect(parse(full).lines).toHaveLength(1);
    expect(placesOf(`${full}x`)).toEqual(['1:1 limit']);
  });
});

describe('METHOD', () => {
  it('is a list of methods, "*", or GRPC', () => {
    expect(lineOf('GET,POST /a a').methods).toEqual({ kind: 'named', names: ['GET', 'POST'] });
    expect(lineOf('* /a a').methods).toEqual({ kind: 'star' });
    expect(lineOf('GRPC s.v1.A/B a').methods).toEqual({ kind: 'grpc' });
    expect(lineOf('PROPFIND /a a').methods).toEqual({ kind: 'named', names: ['PROPFIND'] });
  });

  it.each([
    ['get', 'write GET'],
    ['Get', 'write GET'],
    ['grpc', 'write GRPC'],
    ['GTE', 'did you mean GET?'],
    ['DELTE', 'did you mean DELETE?'],
    ['GET,', 'between the commas'],
    [',GET', 'between the commas'],
    ['GET,GET', 'GET twice'],
    ['GET,*', '* stands alone'],
    ['GET,GRPC', 'GRPC stands alone'],
    ['GET/POST', 'expected an HTTP method'],
    ['M-SEARCH', 'expected an HTTP method'],
  ])('%s is refused with a hint', (word, said) => {
    expect(placesOf(`${word} /a a`)).toEqual(['1:1 method']);
    expect(textOf(`${word} /a a`)).toContain(said);
  });

  it.each(['TOOL', 'RESOURCE', 'PROMPT', 'MCP'])('%s is not yet supported', (word) => {
    expect(placesOf(`${word} something a`)).toEqual(['1:1 not_supported']);
    expect(textOf(`${word} something a`)).toContain('not yet supported');
  });
});

describe('PATH', () => {
  it.each([
    ['/', [], false],
    ['/**', [], true],
    ['/a/', ['a'], false],
    ['/a/{id}/b', ['a', '{id}', 'b'], false],
    ['/a/{_x9}/**', ['a', '{_x9}'], true],
    ['/caf%C3%A9/%2A%7Bx%7D', ['café', '*{x}'], false],
    ['/v1/a:cancel/.well-known', ['v1', 'a:cancel', '.well-known'], false],
  ])('%s is read as its segments', (text, segments, rest) => {
    const { path } = lineOf(`GET ${text} a`);
    expect(path.text).toBe(text);
    expect(path.rest).toBe(rest);
    expect(path.segments.map((segment) => (segment.kind === 'any' ? `{${segment.name}}` : segment.text))).toEqual(
      segments,
    );
  });

  it.each([
    'a',
    '**',
    'https://x.example/a',
    '//',
    '/a//b',
    '/a//',
    '/./a',
    '/a/..',
    '/a;v=1',
    '/a%2fb',
    '/a%2',
    '/a%00',
    '/a%2e',
    '/a%ff',
    '/a?x=1',
    '/a#b',
    '/a\\b',
    '/a"b"',
    '/a*',
    '/*',
    '/a/*/b',
    '/**/a',
    '/a**',
    '/{x}y',
    '/{}',
    '/{1}',
    '/{a-b}',
    '/{x',
    '/{x}/{x}',
    '/café',
  ])('%s is refused: no request could match, or it is not clear what should', (text) => {
    expect(placesOf(`GET ${text} a`)).toEqual(['1:5 path']);
  });

  it('says how a path that is not ASCII is written', () => {
    expect(textOf('GET /café a')).toContain('percent-encode it: caf%C3%A9');
  });
});

describe('GRPC', () => {
  it('takes a method or a whole service', () => {
    expect(lineOf('GRPC shop.v1.Cart/Add a').path).toEqual({
      text: '/shop.v1.Cart/Add',
      segments: [
        { kind: 'literal', text: 'shop.v1.Cart' },
        { kind: 'literal', text: 'Add' },
      ],
      rest: false,
    });
    expect(lineOf('GRPC Cart/* a').path.segments).toEqual([
      { kind: 'literal', text: 'Cart' },
      { kind: 'any', name: '*' },
    ]);
  });

  it.each([
    '/shop.v1.Cart/Add',
    'shop.v1.Cart',
    'shop.v1.Cart/',
    'shop..v1/Add',
    'shop.v1.Cart/Add/x',
    'a/{x}',
    '*/Add',
    'a/**',
  ])('%s is refused', (text) => {
    expect(placesOf(`GRPC ${text} a`)).toEqual(['1:6 path']);
  });

  it('hints at GRPC where an HTTP line names a service', () => {
    expect(textOf('POST shop.v1.Cart/Add a')).toContain('begin with GRPC');
  });
});

describe('SCOPES', () => {
  it('is one scope, all, any, or a keyword', () => {
    expect(lineOf('GET /a https://x.example/a.read').scopes).toEqual({
      kind: 'all',
      scopes: ['https://x.example/a.read'],
    });
    expect(lineOf('GET /a a+b').scopes).toEqual({ kind: 'all', scopes: ['a', 'b'] });
    expect(lineOf('GET /a a|b').scopes).toEqual({ kind: 'any', scopes: ['a', 'b'] });
    for (const kind of ['token', 'workload', 'anyone']) expect(lineOf(`GET /a ${kind}`).scopes).toEqual({ kind });
  });

  it.each(['a+b|c', 'a+', '|a', 'a||b', 'a+a', 'a|a', 'token+a', 'a|anyone', 'workload+token', 'a\\b', 'é', '"a"'])(
    '%s is refused',
    (word) => {
      expect(placesOf(`GET /a ${word}`)).toEqual(['1:8 scopes']);
    },
  );

  it('must be there', () => {
    expect(placesOf('GET /a')).toEqual(['1:7 scopes']);
    expect(placesOf('GET /a # x')).toEqual(['1:7 scopes']);
    expect(placesOf('GET')).toEqual(['1:4 syntax']);
    expect(placesOf('GET /a from=ns/**')).toEqual(['1:8 scopes']);
    expect(placesOf('GET /a age<=5m')).toEqual(['1:8 scopes']);
    expect(placesOf('GET /a fresh')).toEqual(['1:8 scopes']);
  });
});

describe('CONDITIONS', () => {
  it('are read, each into its own field', () => {
    const text =
      'GET /a a from=ns/x/**,spiffe://p.example/a,outside@ns/edge/* via=ns/edge/**,direct host=a.example,[::1] env=prod,eu-1 age<=90s data=internal bound=direct fresh once upgrade';
    expect(lineOf(text).conditions).toMatchObject({
      from: { origins: [{ text: 'ns/x/**' }, { text: 'spiffe://p.example/a' }], outside: [{ text: 'ns/edge/*' }] },
      via: { forwarders: [{ text: 'ns/edge/**' }], direct: true },
      host: ['a.example', '[::1]'],
      env: ['prod', 'eu-1'],
      maxAge: 90_000,
      data: 'internal',
      bound: 'direct',
      fresh: true,
      once: true,
      upgrade: true,
    });
  });

  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
  ])('age<=%s is a duration', (text, ms) => {
    expect(lineOf(`GET /a a age<=${text}`).conditions.maxAge).toBe(ms);
  });

  it.each([
    'age<=5',
    'age<=0s',
    'age<=1.5h',
    'age<=-1s',
    'age<=',
    'age<5m',
    'age=5m',
    'age>=5m',
    'from=',
    'from=a,',
    'from=outside',
    'from=outside@',
    'from=spiffe://*/a',
    'from=/a',
    'from',
    'via=',
    'via=a//b',
    'host=',
    'host=A.example',
    'host=a.example:80',
    'host=https://a.example',
    'host=*.example',
    'host=a..b',
    'env=',
    'env=prod,',
    'data=secret',
    'data=Public',
    'data=',
    'bound=exact',
    'bound=',
    'fresh=true',
    'once=1',
    'upgrade=websocket',
  ])('%s is refused', (word) => {
    expect(placesOf(`GET /a a fresh ${word}`).slice(0, 1)).toEqual(['1:16 condition_value']);
  });

  it.each([
    ['frm=ns/**', 'did you mean from=ns/shop/sa/*?'],
    ['form=ns/**', 'did you mean from='],
    ['environment=prod', 'did you mean env=prod?'],
    ['From=ns/**', 'did you mean from='],
    ['max-age<=5m', 'known are from, via'],
    ['freshh', 'did you mean fresh?'],
    ['=x', 'known are'],
  ])('%s is unknown, with the nearest in the hint', (word, said) => {
    expect(placesOf(`GET /a a ${word}`)).toEqual(['1:10 condition_unknown']);
    expect(textOf(`GET /a a ${word}`)).toContain(said);
  });

  it.each(['kind=agent', 'purpose=billing', 'when="a b"'])('%s is not yet supported', (word) => {
    expect(placesOf(`GET /a a ${word}`)).toEqual(['1:10 not_supported']);
    expect(textOf(`GET /a a ${word}`)).toContain('not yet supported');
  });

  it('come once each', () => {
    expect(placesOf('GET /a a bound fresh bound=direct')).toEqual(['1:22 condition_duplicate']);
    expect(placesOf('GET /a a data=public data=internal')).toEqual(['1:22 condition_duplicate']);
  });

  it.each(['bound', 'bound=direct', 'age<=5m', 'once'])(
    '%s is refused on lines that look at no token, and fits the others',
    (word) => {
      expect(placesOf(`GET /a workload ${word}`)).toEqual(['1:17 condition_conflict']);
      expect(placesOf(`GET /a anyone ${word}`)).toEqual(['1:15 condition_conflict']);
      expect(placesOf(`GET /a token ${word}`)).toEqual([]);
    },
  );

  it.each(['from=ns/**', 'via=direct', 'env=prod'])(
    '%s is refused on anyone lines, and fits workload lines',
    (word) => {
      expect(placesOf(`GET /a anyone ${word}`)).toEqual(['1:15 condition_conflict']);
      expect(placesOf(`GET /a workload ${word}`)).toEqual([]);
    },
  );
});

describe('rights', () => {
  it('let owners write only what the operator lets them', () => {
    const text = 'GET /a workload\nGET /b anyone\nGET /c token';
    const issues = parseLines(text, { rights: new Set(['workload'] as const) }).issues;
    expect(issues).toMatchObject([
      { line: 2, column: 8, code: 'right_missing', hint: 'the operator must add anyone to policy.ownersMay' },
    ]);
    expect(parseLines(text, { rights: new Set() }).issues.map(({ line }) => line)).toEqual([1, 2]);
    expect(parseLines(text, { rights: 'all' }).issues).toEqual([]);
  });
});
