/**
 * A strict reader of DER (X.690 §10). In: bytes. Out: elements, as views of those bytes. Refuses indefinite and
 * non-minimal lengths, tags of more than one octet, and whatever stands behind the last element. Refusals travel as
 * `Malformed`, which `reading` turns into a value; nothing else leaves this folder as a throw. Knows no ASN.1 schema.
 */
export interface Element {
  readonly tag: number;
  /** Octets of tag, length and content. */
  readonly length: number;
  /** Tag, length and content. */
  readonly whole: Uint8Array;
  readonly content: Uint8Array;
}

/** Views are made when they are asked for: most elements are only stepped over, or asked for one of the two. */
class Place implements Element {
  constructor(
    readonly tag: number,
    private readonly bytes: Uint8Array,
    private readonly at: number,
    private readonly start: number,
    private readonly end: number,
  ) {}
  get length(): number {
    return this.end - this.at;
  }
  get whole(): Uint8Array {
    return this.bytes.subarray(this.at, this.end);
  }
  get content(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }
}

export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

export class Malformed extends Error {}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Runs a reader; a `Malformed` becomes its problem, any other throw is a fault of ours and passes. */
export function reading<T>(read: () => T): Reading<T> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, problem: error.message };
    throw error;
  }
}

/** All elements of `bytes`, which must end with the last of them. */
export function elementsOf(bytes: Uint8Array): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const element = elementAt(bytes, at);
    elements.push(element);
    at += element.length;
  }
  return elements;
}

/** The one element that `bytes` is, of this tag. */
export function only(bytes: Uint8Array, tag: number, what: string): Element {
  if (bytes.length === 0) throw new Malformed(`${what} is empty`);
  const element = elementAt(bytes, 0);
  if (element.length !== bytes.length) throw new Malformed(`${what} is followed by other bytes`);
  return expect(element, tag, what);
}

export function expect(element: Element | undefined, tag: number, what: string): Element {
  if (element === undefined) throw new Malformed(`${what} is missing`);
  if (element.tag !== tag) throw new Malformed(`${what} has tag ${hexOctet(element.tag)}, expected ${hexOctet(tag)}`);
  return element;
}

function elementAt(bytes: Uint8Array, at: number): Element {
  const tag = bytes[at] ?? 0;
  if ((tag & 0x1f) === 0x1f) throw new Malformed('a DER tag of more than one octet');
  const first = bytes[at + 1];
  if (first === undefined) throw new Malformed('a DER element ends before its length');
  const start = at + 2 + (first < 0x80 ? 0 : first & 0x7f);
  const end = start + (first < 0x80 ? first : longLength(bytes, at + 2, first & 0x7f));
  if (end > bytes.length) throw new Malformed('a DER element is longer than the bytes that hold it');
  return new Place(tag, bytes, at, start, end);
}

/** Three octets of length are 16 MiB: more than anything that is read here. */
function longLength(bytes: Uint8Array, at: number, octets: number): number {
  if (octets === 0) throw new Malformed('a DER element of indefinite length');
  if (octets > 3) throw new Malformed('a DER length of more than three octets');
  let length = 0;
  for (let index = at; index < at + octets; index += 1) {
    const octet = bytes[index];
    if (octet === undefined) throw new Malformed('a DER element ends before its length');
    length = length * 256 + octet;
  }
  if (length < 0x80 || length < 256 ** (octets - 1)) throw new Malformed('a DER length is not minimal');
  return length;
}

/** X.690 §11.1: FALSE is 00 and TRUE is FF. An explicit FALSE where it is the default is let pass: it has one reading. */
export function booleanOf(element: Element, what: string): boolean {
  const octet = expect(element, TAG.boolean, what).content[0];
  if (element.content.length !== 1 || (octet !== 0x00 && octet !== 0xff))
    throw new Malformed(`${what} is not a DER boolean`);
  return octet === 0xff;
}

/** The octets of an integer that is not negative, without the sign octet; a zero is one octet 00. */
export function unsignedOf(element: Element | undefined, what: string): Uint8Array {
  const { content } = expect(element, TAG.integer, what);
  const [first, second] = content;
  if (first === undefined) throw new Malformed(`${what} is empty`);
  if (first >= 0x80) throw new Malformed(`${what} is negative`);
  if (first === 0 && second !== undefined && second < 0x80) throw new Malformed(`${what} is not minimal`);
  return first === 0 && second !== undefined ? content.subarray(1) : content;
}

/** The octets of a bit string that has no unused bits. */
export function octetsOfBits(element: Element | undefined, what: string): Uint8Array {
  const { content } = expect(element, TAG.bitString, what);
  if (content[0] !== 0) throw new Malformed(`${what} is not made of whole octets`);
  return content.subarray(1);
}

/** An object identifier as the hex of its content: a name to compare, see `dotted` for people. */
export function oidOf(element: Element | undefined, what: string): string {
  const { content } = expect(element, TAG.oid, what);
  let continued = false;
  for (const octet of content) {
    if (octet === 0x80 && !continued) throw new Malformed(`${what} is not minimal`);
    continued = octet >= 0x80;
  }
  if (content.length === 0 || continued) throw new Malformed(`${what} is cut short`);
  return hex(content);
}

/** `551d13` → `2.5.29.19`. */
export function dotted(oid: string): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const octet of Buffer.from(oid, 'hex')) {
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    if (octet < 0x80) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const [first = 0n, ...rest] = arcs;
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...rest].join('.');
}

const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
export const hex = (bytes: Uint8Array): string => view(bytes).toString('hex');
/** One character for each octet: also a key for maps and sets of byte strings. */
export const latin1 = (bytes: Uint8Array): string => view(bytes).toString('latin1');

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const hexOctet = (octet: number): string => octet.toString(16).padStart(2, '0');
