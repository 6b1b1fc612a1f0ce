/**
 * One copy of texts that come again and again, as the scopes of one caller do in each of its tokens. In: a text, or a list of
 * texts. Out: an equal one, the first that came. Bounded: a table that is full begins anew. Holds nothing that is long.
 */
export interface SharedTexts {
  text(text: string): string;
  /** The list must not be changed by anybody, and neither may the one that is returned. */
  list(texts: readonly string[]): readonly string[];
}

/** Texts and lists, of each kind. */
const MAX = 2048;
/** UTF-16 units: a token has 16 KiB at most, and most have little in them. */
const LONGEST = 1024;

export function createSharedTexts(): SharedTexts {
  const texts = new Map<string, string>();
  const lists = new Map<string, readonly string[]>();
  const text = (given: string): string => shared(texts, given, given);
  return {
    text,
    // The length of each stands before it, so that no two lists have one name.
    list: (given) => shared(lists, given.map((each) => `${each.length}:${each}`).join(''), given),
  };
}

function shared<V>(known: Map<string, V>, name: string, value: V): V {
  if (name.length > LONGEST) return value;
  const first = known.get(name);
  if (first !== undefined) return first;
  if (known.size >= MAX) known.clear();
  known.set(name, value);
  return value;
}
