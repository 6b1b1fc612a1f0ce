/**
 * The text of a configuration with one value in place of another. In: the text, the way to the key (list entries by their
 * index), the value. Out: YAML, or undefined where that way leads nowhere. Does NOT check it: loadConfigText does.
 */
import { parseDocument } from 'yaml';

export function withConfigValue(text: string, path: readonly (string | number)[], value: unknown): string | undefined {
  try {
    const document = parseDocument(text);
    document.setIn(path, value);
    return document.toString();
  } catch {
    return undefined;
  }
}
