/** The request after a change of its own: method, path, host, headers. */
import type { RequestChange } from './change.js';
import { withLines } from './supposed.js';
import type { Supposed } from './supposed.js';

export function supposeRequest({ method, path, host, without = [], once }: RequestChange, world: Supposed): Supposed {
  const { attributes } = world;
  const first = (value: string | undefined): string => value?.split(',')[0]?.trim() ?? '';
  const single = once === undefined ? [] : [[once, first(attributes.headers.all(once)[0])] as const];
  const kept = withLines(attributes, [...without, ...(once === undefined ? [] : [once])], single);
  return {
    ...world,
    attributes: {
      ...kept,
      method: method ?? attributes.method,
      path: path ?? attributes.path,
      host: host ?? (once === 'host' ? first(attributes.host) : attributes.host),
    },
  };
}
