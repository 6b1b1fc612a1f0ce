/**
 * Starts the very files of envoy/ with the demo's own paths and ports. In: what stands where. Out: configurations as Envoy
 * reads them. Everything but the values named here stays as it is in the file; a value that is not found is an error, so
 * that a file can not drift away from its demo.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** A value of the file, and what stands in its place while the demo runs. */
export type Replacement = readonly [inFile: string | number, inDemo: string | number];

export interface EnvoyFile {
  /** Without the folder. */
  readonly file: 'sidecar.yaml' | 'gateway.yaml';
  readonly replace: readonly Replacement[];
}

export interface SidecarPlaces {
  readonly certificate: string;
  readonly key: string;
  readonly bundle: string;
  readonly checkSocket: string;
  readonly inbound: number;
  readonly http: number;
  readonly grpc: number;
}

export interface GatewayPlaces {
  readonly certificate: string;
  readonly key: string;
  readonly bundle: string;
  readonly mesh: number;
  readonly public: number;
  readonly orders: number;
}

const files = (places: SidecarPlaces | GatewayPlaces): Replacement[] => [
  ['/etc/envoy/certs/svid.pem', places.certificate],
  ['/etc/envoy/certs/svid.key', places.key],
  ['/etc/envoy/certs/bundle.pem', places.bundle],
  ['0.0.0.0', '127.0.0.1'],
];

export const sidecar = (places: SidecarPlaces): EnvoyFile => ({
  file: 'sidecar.yaml',
  replace: [
    ...files(places),
    ['/run/firsthand/check.sock', places.checkSocket],
    [15_006, places.inbound],
    [8080, places.http],
    [9090, places.grpc],
  ],
});

export const gateway = (places: GatewayPlaces): EnvoyFile => ({
  file: 'gateway.yaml',
  replace: [
    ...files(places),
    ['orders.shop.svc', '127.0.0.1'],
    [8443, places.mesh],
    [9443, places.public],
    [15_006, places.orders],
  ],
});

/** The file with its values replaced, as JSON: Envoy reads that too, and YAML's anchors are resolved in it. */
export function configuration(root: string, { file, replace }: EnvoyFile): string {
  const values = new Map(replace);
  const met = new Set<string | number>();
  const parsed: unknown = parse(readFileSync(join(root, 'envoy', file), 'utf8'));
  const text = JSON.stringify(
    parsed,
    (_key, value: unknown) => {
      if (typeof value !== 'string' && typeof value !== 'number') return value;
      const other = values.get(value);
      if (other !== undefined) met.add(value);
      return other ?? value;
    },
    2,
  );
  const missing = [...values.keys()].filter((value) => !met.has(value));
  if (missing.length > 0) throw new Error(`envoy/${file} does not hold ${missing.join(', ')}`);
  return text;
}

/** Without the interval the access log would show up after ten seconds. */
export const ENVOY_ARGS = [
  '--disable-hot-restart',
  '--concurrency',
  '1',
  '--log-level',
  'warn',
  '--file-flush-interval-msec',
  '50',
] as const;
