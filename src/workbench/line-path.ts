/** Paths of other languages as scope lines write them. In: segments. Out: a path. Every literal is encoded as needed. */

export type PathPart =
  { readonly kind: 'literal'; readonly text: string } | { readonly kind: 'any'; readonly name: string };

/** Names come once in a path, and are words; `order-id` becomes `order_id`, a second one `order_id2`. */
export function linePath(parts: readonly PathPart[]): string {
  const used = new Set<string>();
  const words = parts.map((part) => (part.kind === 'literal' ? encoded(part.text) : `{${fresh(part.name, used)}}`));
  return `/${words.join('/')}`;
}

function fresh(name: string, used: Set<string>): string {
  const word = name.replaceAll(/[^A-Za-z0-9_]+/g, '_').slice(0, 40);
  const base = /^[A-Za-z_]/.test(word) ? word : `p${word}`;
  let candidate = base;
  for (let count = 2; used.has(candidate); count += 1) candidate = `${base}${count}`;
  used.add(candidate);
  return candidate;
}

/** `*`, braces, quotes and whatever a path may only hold encoded. */
const encoded = (text: string): string =>
  text.replaceAll(/[^A-Za-z0-9._~!$&'()+,=:@-]+/gu, (run) =>
    [...Buffer.from(run)].map((octet) => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
