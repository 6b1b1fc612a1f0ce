/**
 * What the engine without a memory works out from bytes alone, so that it need not do so a hundred thousand times: what a PEM
 * text and a certificate say, which paths lead to an anchor, what a key says of a token. In: the functions of src/ themselves.
 * Out: the same functions; what they were asked before, by all of its bytes and by the very keys and anchors, is answered as
 * before. Every so often it is worked out anew, and must come out the same, else it throws. No clock, version, decision, pin or
 * revocation is in here, nor any key of src/: those are what the engines are compared for.
 */
import { readPemChain, readPemText, readSvid } from '../../src/evidence/certificate.js';
import type { FindKeys } from '../../src/model/ports.js';
import { verifyPath } from '../../src/origin/path-validation.js';
import { verifyTokenSignature } from '../../src/origin/token.js';
import type { CertificateReaders } from '../../src/state/certificates.js';

export interface Workings extends CertificateReaders {
  readonly verifyTokenSignature: typeof verifyTokenSignature;
}

export const readPem: CertificateReaders['readPem'] = ({ encoding, text }) => {
  const chain = encoding === 'percent' ? readPemChain(text) : readPemText(text);
  return chain.ok ? chain.certificates : chain.problem;
};

/** Nothing is remembered. */
export const FROM_NOTHING: Workings = { readPem, readSvid, verifyPath, verifyTokenSignature };

/** Of so many questions one is worked out anew. */
const AGAIN = 16;

export function rememberedWorkings(): Workings {
  const once = createOnce();
  const number = createNumbers();
  const bytes = (each: Uint8Array): string => Buffer.from(each).toString('latin1');
  const list = (all: readonly Uint8Array[]): string => JSON.stringify(all.map(bytes));
  const keysOf = (issuers: readonly Parameters<FindKeys>[0][], findKeys: FindKeys): string =>
    issuers.map((issuer) => number(findKeys(issuer))).join();
  return {
    readPem: (pem) => once(`pem ${pem.encoding} ${pem.text}`, () => readPem(pem)),
    readSvid: (der) => once(`svid ${bytes(der)}`, () => readSvid(der)),
    verifyPath: (leaf, presented, bundle) =>
      once(`path ${list([leaf.der])} ${list(presented)} ${list(bundle.anchors)} ${list(bundle.intermediates)}`, () =>
        verifyPath(leaf, presented, bundle),
      ),
    verifyTokenSignature: (token, issuers, findKeys) =>
      once(`token ${keysOf(issuers, findKeys)} ${issuers.map(number).join()} ${token.place} ${token.text}`, () =>
        verifyTokenSignature(token, issuers, findKeys),
      ),
  };
}

function createOnce(): <T>(question: string, work: () => T) => T {
  const known = new Map<string, { readonly answer: unknown }>();
  let asked = 0;
  return <T>(question: string, work: () => T): T => {
    const before = known.get(question);
    if (before !== undefined && (asked += 1) % AGAIN !== 0) return before.answer as T;
    const answer = work();
    if (before !== undefined && said(answer) !== said(before.answer))
      throw new Error(`worked out anew it is another one: ${question.slice(0, 40)}`);
    known.set(question, { answer });
    return answer;
  };
}

/** All of an answer but for functions: those of a certificate do what its bytes say, and these are compared. */
const said = (answer: unknown): string =>
  JSON.stringify(answer, (_, value: unknown) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
    if (value instanceof Map || value instanceof Set) return [...(value as Iterable<unknown>)];
    return value;
  });

/** A number for each thing, the same for the same one. */
function createNumbers(): (thing: unknown) => number {
  const numbers = new Map<unknown, number>();
  return (thing) => {
    const known = numbers.get(thing) ?? numbers.size;
    numbers.set(thing, known);
    return known;
  };
}
