/** x-forwarded-client-cert that no Envoy writes, as text and as JSON, left of an own element that is right. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkRequest, elementOf, GUARD } from '../helpers/check-request.js';
import type { Guard } from '../helpers/guard.js';
import { expectAllowed, expectDenied } from '../helpers/verdicts.js';
import { GATEWAY, guardOf, id, makeWorld } from '../helpers/world.js';
import type { World } from '../helpers/world.js';

const ZEROS = '0'.repeat(64);
const BATCH = id('shop/sa/batch');
const GOOD = `By=${GATEWAY};Hash=${ZEROS};URI=${BATCH}`;

/** What is wrong → the element. */
const TEXTS: readonly (readonly [string, string])[] = [
  ['an empty element', ''],
  ['an empty field', `By=${GATEWAY};;Hash=${ZEROS}`],
  ['an empty last field', `${GOOD};`],
  ['an empty first field', `;${GOOD}`],
  ['a field without a name', `=${GATEWAY}`],
  ['a field without a value and =', 'By'],
  ['a name alone behind a field', `${GOOD};URI`],
  ['a name that nobody knows', `${GOOD};Serial=1`],
  ['a name with a digit', `${GOOD};URI2=${BATCH}`],
  ['a name with a dash', `${GOOD};X-URI=${BATCH}`],
  ['a space before a name', `${GOOD}; DNS=a.example`],
  ['a space behind a name', `${GOOD};DNS =a.example`],
  ['a space before an element', ` ${GOOD}`],
  ['a space in a URI', `By=${GATEWAY};URI=${BATCH} x`],
  ['a tab in a URI', `By=${GATEWAY};URI=${BATCH}\t`],
  ['a line break in a URI', `By=${GATEWAY};URI=${BATCH}\nURI=x`],
  ['a NUL in a By', `By=${GATEWAY}\u0000`],
  ['a letter beyond ASCII in a URI', `By=${GATEWAY};URI=${BATCH}é`],
  ['a letter beyond ASCII in a name', `${GOOD};ＵＲＩ=${BATCH}`],
  ['an equals sign in a URI', `By=${GATEWAY};URI=${BATCH}=x`],
  ['a backslash in a URI', String.raw`By=${GATEWAY};URI=${BATCH}\,x`],
  ['a quote in a URI', `By=${GATEWAY};URI=${BATCH}"`],
  ['a quoted URI', `By=${GATEWAY};URI="${BATCH}"`],
  ['a quoted By', `By="${GATEWAY}"`],
  ['a quoted Hash', `Hash="${ZEROS}"`],
  ['a quoted DNS', 'DNS="a.example"'],
  ['a Subject without quotes', `${GOOD};Subject=CN`],
  ['an Issuer without quotes', `${GOOD};Issuer=CN`],
  ['a Cert without quotes', `${GOOD};Cert=abc`],
  ['a Chain without quotes', `${GOOD};Chain=abc`],
  ['a quote that is never closed', `${GOOD};Subject="CN`],
  ['a quote whose end is escaped', String.raw`${GOOD};Subject="CN\"`],
  ['a backslash at the very end', `${GOOD};Subject="CN\\`],
  ['text behind a quote', `${GOOD};Subject="CN"x`],
  ['a second quote behind a quote', `${GOOD};Subject="CN""x"`],
  ['a space behind a quote', `${GOOD};Subject="CN" `],
  ['another separator behind a quote', `${GOOD};Subject="CN"|${GOOD}`],
  ['a field right behind a quote', `${GOOD};Subject="CN" URI=${BATCH}`],
  ['two Subjects', `${GOOD};Subject="a";Subject="a"`],
  ['two Issuers', `${GOOD};Issuer="a";Issuer="b"`],
  ['two Certs', `${GOOD};Cert="a";Cert="b"`],
  ['two Chains', `${GOOD};Chain="a";chain="b"`],
  ['two Hashes', `${GOOD};Hash=${ZEROS}`],
  ['two Hashes, one in another case', `${GOOD};HASH=${ZEROS}`],
  ['a Hash in capitals', `By=${GATEWAY};Hash=${'A'.repeat(64)};URI=${BATCH}`],
  ['a short Hash', `By=${GATEWAY};Hash=${'0'.repeat(63)};URI=${BATCH}`],
  ['a long Hash', `By=${GATEWAY};Hash=${'0'.repeat(65)};URI=${BATCH}`],
  ['a Hash in base64', `By=${GATEWAY};Hash=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA;URI=${BATCH}`],
  ['an empty Hash', `By=${GATEWAY};Hash=;URI=${BATCH}`],
  ['an empty By', `By=;Hash=${ZEROS};URI=${BATCH}`],
  ['an empty URI beside one', `By=${GATEWAY};URI=;URI=${BATCH}`],
  ['an empty Cert', `${GOOD};Cert=""`],
  ['a Cert whose percent-encoding is broken', `${GOOD};Cert="%zz"`],
  ['a Cert that is not UTF-8', `${GOOD};Cert="%ff"`],
  ['an empty Chain', `${GOOD};Chain=""`],
  ['a JSON element among text', '{"uri":["spiffe://prod.example/a"]}'],
  ['an open bracket', `[${GOOD}`],
];

/** Elements that an Envoy could have written: all of them history here. */
const GOOD_TEXTS = [
  GOOD,
  `by=${GATEWAY};hash=${ZEROS};uri=${BATCH}`,
  `By=${GATEWAY};By=${GATEWAY}`,
  'URI=',
  `URI=${BATCH};URI=https://x.example/y?z`,
  'DNS=a.example;DNS=*.b.example',
  'Subject="";Issuer=""',
  String.raw`Subject="CN=O'Brien \"Bob\" \\ x\;URI=spiffe://prod.example/admin\,By=x"`,
  'Cert="abc%20d";Chain="%2B"',
];

let world: World;
let guard: Guard;
beforeAll(async () => {
  world = await makeWorld();
  guard = await guardOf(world, { lines: 'GET /any workload' });
});
afterAll(() => guard.stop());

const call = (forwarded: string) =>
  guard.check(
    checkRequest({
      path: '/any',
      principal: world.frontend.id,
      certificate: world.frontend.urlEncodedPem,
      headers: [['x-forwarded-client-cert', forwarded]],
    }),
  );

describe('a text of elements', () => {
  test.each(TEXTS)('with %s is malformed', async (_what, element) => {
    const own = elementOf(GUARD, world.frontend);
    expectDenied(await call(`${element},${own}`), 'xfcc_malformed');
    expectDenied(await call(`${own},${element}`), 'xfcc_malformed');
    expectDenied(await call(`${own},${element},${own}`), 'xfcc_malformed');
    if (element !== '') expectDenied(await call(element), 'xfcc_malformed');
  });

  test.each(GOOD_TEXTS)('with %s is read', async (element) => {
    expectAllowed(await call(`${element},${elementOf(GUARD, world.frontend)}`), 'allowed_workload');
  });

  test('that is empty is no element', async () => {
    expectDenied(await call(''), 'xfcc_anchor');
  });
});

const own = (): string => JSON.stringify({ by: [GUARD], hash: world.frontend.sha256, uri: [world.frontend.id] });
const left =
  (members: string): (() => string) =>
  () =>
    `[{${members}},${own()}]`;

const JSONS: readonly (readonly [string, () => string])[] = [
  ['no elements', () => '[]'],
  ['an open list', () => `[${own()}`],
  ['an object alone', own],
  ['two lists', () => `[${own()}],[${own()}]`],
  ['a list in a list', () => `[[${own()}]]`],
  ['a list behind text', () => `${GOOD},[${own()}]`],
  ['text behind a list', () => `[${own()}],${GOOD}`],
  ['a trailing comma', () => `[${own()},]`],
  ['a comment', () => `[${own()}/**/]`],
  ['single quotes', left("'by':['x']")],
  ['null for an element', () => `[null,${own()}]`],
  ['a text for an element', () => `["By=x",${own()}]`],
  ['a number for an element', () => `[1,${own()}]`],
  ['a key that nobody knows', left('"serial":"1"')],
  ['a key of the prototype', left('"__proto__":{"by":["x"]}')],
  ['a key with a capital', left('"By":["spiffe://prod.example/a"]')],
  ['a text for by', left(`"by":"${GATEWAY}"`)],
  ['a text for uri', left(`"uri":"${BATCH}"`)],
  ['a number in uri', left('"uri":[1]')],
  ['an empty text in uri', left('"uri":[""]')],
  ['a list for hash', left(`"hash":["${ZEROS}"]`)],
  ['a hash in capitals', left(`"hash":"${'A'.repeat(64)}"`)],
  ['null for hash', left('"hash":null')],
  ['an empty hash', left('"hash":""')],
  ['an empty cert', left('"cert":""')],
  ['an object for subject', left('"subject":{"a":"b"}')],
  ['a comma in a uri', left(`"uri":["${BATCH},x"]`)],
  ['a semicolon in a by', left(`"by":["${GATEWAY};x"]`)],
  ['a line break in a uri', left(String.raw`"uri":["${BATCH}\n"]`)],
  ['a raw line break in a text', left(`"subject":"a\nb"`)],
  ['a key twice', left(`"uri":["${BATCH}"],"uri":["${GATEWAY}"]`)],
  ['a key twice, once escaped', left(String.raw`"uri":["${BATCH}"],"\u0075ri":["${GATEWAY}"]`)],
  ['a key twice in the own element', () => `[${own().replace('}', `,"uri":["${BATCH}"]}`)}]`],
  ['a space before the list', () => ` [${own()}]`],
  ['a byte order mark', () => `\ufeff[${own()}]`],
];

describe('a JSON list of elements', () => {
  test.each(JSONS)('with %s is malformed', async (_what, text) => {
    expectDenied(await call(text()), 'xfcc_malformed');
  });

  test.each([
    ['the own one alone', () => `[${own()}]`],
    ['one behind', left(`"by":["${GATEWAY}"],"hash":"${ZEROS}","uri":["${BATCH}"]`)],
    ['a colon and quotes in a subject', left(String.raw`"subject":"\"uri\":[\"x\"]","dns":["a.example"]`)],
    ['white space', () => `[ ${own()} ]`],
  ])('with %s is read', async (_what, text) => {
    const answer = await call(text());
    expectAllowed(answer, 'allowed_workload');
    expect(answer.metadata['origin']).toBe(world.frontend.id);
  });

  test('has many malformed spellings here, as text has', () => {
    expect(TEXTS.length + JSONS.length).toBeGreaterThanOrEqual(80);
  });
});
