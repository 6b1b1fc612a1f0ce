/** What must come of each row of `--theft`, as in expected.ts. `incident`: who presented the token first. */
import type { Expected } from './expected.js';

const FRONTEND = 'spiffe://prod.example/ns/shop/sa/frontend';
const THIEF = 'spiffe://prod.example/ns/shop/sa/thief';

const OWNER: Expected = { answer: 200, reason: 'allowed', origin: FRONTEND };
/** Read as the same token, and known to be another's. */
const CAUGHT: Expected = { answer: 401, reason: 'token_presenter_changed', origin: THIEF, incident: FRONTEND };
/** Not read as a token at all. */
const BENT: Expected = { answer: 401, reason: 'token_malformed', origin: THIEF };

export const THEFT_EXPECTED: ReadonlyMap<string, Expected> = new Map([
  ['its owner at the first', OWNER],
  ['its owner at the second', OWNER],
  ['stolen, at the first', CAUGHT],
  ['stolen, at the second', CAUGHT],
  ['stolen, on another route', CAUGHT],

  ['owner of another token, at the first alone', OWNER],
  ['stolen, at the second that never saw it', CAUGHT],
  ['its owner comes there after the thief', OWNER],

  ['the scheme in small letters', CAUGHT],
  ['the scheme in capitals', CAUGHT],
  ['the scheme in both', CAUGHT],
  ['the header in capitals', CAUGHT],
  ['white space in front', CAUGHT],
  ['white space behind', CAUGHT],
  ['two spaces', BENT],
  ['a tab', BENT],
  ['padding', BENT],
  ['one spare bit', BENT],
  ['all spare bits', BENT],
  ['the other alphabet', BENT],
  ['a space in the signature', BENT],
  ['in quotes', BENT],
  ['a dot at the end', BENT],
  ['two header lines', { answer: 400, reason: 'header_ambiguous', origin: null }],
  ['the twin signature', CAUGHT],

  ['goes on at the first', OWNER],
  ['goes on at the second', OWNER],
  ['goes on with the twin signature', OWNER],
  ['goes on in small letters', OWNER],
]);
