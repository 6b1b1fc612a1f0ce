/**
 * The plain form of `firsthand serve`. In: argv. Out: its options, or undefined for whatever is not exactly `serve` with known
 * options, each once and with a value: program.ts reads that, with help and complaints. Does NOT judge any value.
 */
export interface ServeOptions {
  readonly config: string;
  readonly record?: string;
  readonly recordSample?: string;
}

const NAMES = new Map<string, keyof ServeOptions>([
  ['--config', 'config'],
  ['--record', 'record'],
  ['--record-sample', 'recordSample'],
]);

export function serveOptions([command, ...words]: readonly string[]): ServeOptions | undefined {
  if (command !== 'serve' || words.length % 2 !== 0) return undefined;
  const found: Partial<Record<keyof ServeOptions, string>> = {};
  for (let at = 0; at < words.length; at += 2) {
    const name = NAMES.get(words[at] ?? '');
    const value = words[at + 1] ?? '';
    if (name === undefined || found[name] !== undefined || value === '' || value.startsWith('-')) return undefined;
    found[name] = value;
  }
  const { config, ...others } = found;
  return config === undefined ? undefined : { config, ...others };
}
