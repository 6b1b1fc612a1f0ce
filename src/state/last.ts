/** The value of the last key: for what is asked again and again with the same one, as the checks of one millisecond are. */
export function rememberLast<K extends number | string, V>(make: (key: K) => V): (key: K) => V {
  let last: { readonly key: K; readonly value: V } | undefined;
  return (key) => {
    if (last === undefined || last.key !== key) last = { key, value: make(key) };
    return last.value;
  };
}
