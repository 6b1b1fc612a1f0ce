/**
 * Ways to write one token that a lenient reader takes for it: a thief tries them so that the token is another one by name.
 * In: the token. Out: the header lines. None changes what is signed, so that a lenient verifier would verify each.
 */
import { twin } from '../helpers/tokens.js';

export type Lines = readonly (readonly [name: string, value: string])[];

const line = (value: string, name = 'authorization'): Lines => [[name, value]];
const signatureOf = (token: string): string => token.slice(token.lastIndexOf('.') + 1);
const signedAs = (token: string, signature: string): string =>
  token.slice(0, token.length - signatureOf(token).length) + signature;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** 64 bytes in base64url end with four bits that no byte uses. */
function withSpareBits(token: string, bits: number): string {
  const last = ALPHABET[ALPHABET.indexOf(token.slice(-1)) ^ bits] ?? '';
  return token.slice(0, -1) + last;
}

const standard = (token: string): string =>
  signedAs(token, signatureOf(token).replaceAll('-', '+').replaceAll('_', '/'));
const spaced = (token: string): string => signedAs(token, signatureOf(token).replace(/^.{40}/, '$& '));

export const SPELLINGS = {
  'the scheme in small letters': (token) => line(`bearer ${token}`),
  'the scheme in capitals': (token) => line(`BEARER ${token}`),
  'the scheme in both': (token) => line(`bEaReR ${token}`),
  'the header in capitals': (token) => line(`Bearer ${token}`, 'AUTHORIZATION'),
  'white space in front': (token) => line(`  Bearer ${token}`),
  'white space behind': (token) => line(`Bearer ${token}  `),
  'two spaces': (token) => line(`Bearer  ${token}`),
  'a tab': (token) => line(`Bearer\t${token}`),
  padding: (token) => line(`Bearer ${token}==`),
  'one spare bit': (token) => line(`Bearer ${withSpareBits(token, 1)}`),
  'all spare bits': (token) => line(`Bearer ${withSpareBits(token, 15)}`),
  'the other alphabet': (token) => line(`Bearer ${standard(token)}`),
  'a space in the signature': (token) => line(`Bearer ${spaced(token)}`),
  'in quotes': (token) => line(`Bearer "${token}"`),
  'a dot at the end': (token) => line(`Bearer ${token}.`),
  'two header lines': (token) => [...line(`Bearer ${token}`), ...line(`Bearer ${token}`)],
  /** No spelling but a second signature: (r, n − s) verifies wherever (r, s) does, and anybody can compute it. */
  'the twin signature': (token) => line(`Bearer ${twin(token)}`),
} as const satisfies Record<string, (token: string) => Lines>;

export type Spelling = keyof typeof SPELLINGS;
export const SPELLING_NAMES = Object.keys(SPELLINGS) as readonly Spelling[];
