/**
 * What a pure function made of a text, for texts that come again: it is made once, and those who keep it share it. In: the
 * function. Out: the same function. Bounded: when as many texts are known as may be, the older half is forgotten; long ones
 * are not kept. Relies on nobody changing what is returned.
 */
export function rememberTexts<V>(make: (text: string) => V): (text: string) => V {
  let young = new Map<string, V>();
  let old = new Map<string, V>();
  const keep = (text: string, value: V): V => {
    if (young.size >= HALF) [old, young] = [young, new Map()];
    young.set(text, value);
    return value;
  };
  return (text) => {
    const known = young.get(text);
    if (known !== undefined) return known;
    return text.length > LONGEST ? make(text) : keep(text, old.get(text) ?? make(text));
  };
}

const HALF = 512;
/** Forwarded elements with a certificate have 2 to 3 KiB. */
const LONGEST = 4096;
