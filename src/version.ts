import { readFileSync } from 'node:fs';

/** `firsthand 0.1.0 (node v20.20.2)`; the number stands in package.json alone. */
export const version = (): string => `firsthand ${packageVersion()} (node ${process.version})`;

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
