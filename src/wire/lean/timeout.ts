/**
 * `grpc-timeout` → ms (the gRPC over HTTP/2 protocol: 1 to 8 digits and a unit, nothing else). undefined: not readable.
 */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['H', 3_600_000],
  ['M', 60_000],
  ['S', 1_000],
  ['m', 1],
  ['u', 0.001],
  ['n', 0.000_001],
]);

export function timeoutOf(text: string): number | undefined {
  const unit = UNITS.get(text.slice(-1));
  const digits = text.slice(0, -1);
  return unit !== undefined && /^\d{1,8}$/.test(digits) ? Number(digits) * unit : undefined;
}
