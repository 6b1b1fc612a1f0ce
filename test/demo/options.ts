/** The demo's command line. */
import type { TrustFrom } from './materials.js';

export type Options =
  | { readonly kind: 'play'; readonly keep: boolean; readonly trust: TrustFrom }
  | { readonly kind: 'theft' }
  | { readonly kind: 'sabotage'; readonly name: string }
  | { readonly kind: 'list' }
  | { readonly kind: 'all' }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly message: string };

export const USAGE = `usage: npm run demo -- [--spiffe] [--keep] | --theft | --sabotage NAME | --sabotage list | --sabotage all

  (nothing)         sends real requests through real Envoys, prints what came of them; exit 1 if any is not as expected
  --spiffe          the same with bundles and keys from a SPIFFE Workload API, instead of files
  --keep            leaves everything running afterwards and prints curl lines to try, until Ctrl-C
  --theft           a stolen token, at two replicas whose guards share a Redis
  --sabotage NAME   the same with one check of the guard switched off: must exit 1
  --sabotage list   the names
  --sabotage all    each of them in turn: exit 0 only if each one is noticed
`;

export function readOptions(argv: readonly string[]): Options {
  const [first = '', second, ...rest] = argv;
  const flags = new Set(argv);
  if (flags.size === argv.length && argv.every((flag) => flag === '--keep' || flag === '--spiffe'))
    return { kind: 'play', keep: flags.has('--keep'), trust: flags.has('--spiffe') ? 'workload-api' : 'files' };
  if (first === '--help' || first === '-h') return { kind: 'help' };
  if (first === '--theft' && second === undefined) return { kind: 'theft' };
  if (first !== '--sabotage' || rest.length > 0) return { kind: 'wrong', message: `unexpected: ${argv.join(' ')}` };
  if (second === undefined) return { kind: 'wrong', message: '--sabotage needs a name' };
  if (second === 'list' || second === 'all') return { kind: second };
  return { kind: 'sabotage', name: second };
}
