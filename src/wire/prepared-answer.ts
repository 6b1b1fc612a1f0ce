/**
 * An answer that is the same for many checks but for the decision's id: encoded once, the id written into a copy. In: how to
 * encode it with an id. Out: the copy with another. Undefined where the answer is anything but that.
 */
export interface PreparedAnswer {
  /** Undefined where the id is not of the form that was prepared for. */
  withId(id: string): Buffer | undefined;
}

/** UUIDs, of which no part of an answer can be a piece by chance; and by intention neither, since both are tried. */
const FIRST = '0b8f3c52-7d1e-4a96-8c35-e2f4d6a1b970';
const SECOND = 'f47d90e6-3a2b-4c18-95d7-1b6e8a0c53f2';
const LENGTH = FIRST.length;

export function prepareAnswer(encode: (id: string) => Buffer): PreparedAnswer | undefined {
  // A copy of its own: a piece of a pool would keep all of the pool.
  const encoded = encode(FIRST);
  const bytes = Buffer.allocUnsafeSlow(encoded.length);
  bytes.set(encoded);
  const places: number[] = [];
  for (let at = bytes.indexOf(FIRST); at >= 0; at = bytes.indexOf(FIRST, at + LENGTH)) places.push(at);
  const withId = (id: string): Buffer => {
    const copy = Buffer.allocUnsafe(bytes.length);
    copy.set(bytes);
    for (const at of places) for (let index = 0; index < LENGTH; index += 1) copy[at + index] = id.charCodeAt(index);
    return copy;
  };
  if (!withId(SECOND).equals(encode(SECOND))) return undefined;
  return { withId: (id) => (id.length === LENGTH ? withId(id) : undefined) };
}
