/**
 * What a proposed change would make of a denied request, supposed and not done. In: a change, the request with what it is
 * decided against. Out: the same after the change, or why nobody can know. New certificates are made and new tokens are
 * taken for signed; everything else stays as it came, with its other faults, and is really verified. Nothing here is ever
 * answered with: it only tells what would be refused next.
 */
import type { Change } from './change.js';
import { supposeCaller, supposeEnvoy } from './suppose-caller.js';
import { supposeConfig, supposeLines } from './suppose-config.js';
import { supposeFile } from './suppose-file.js';
import { supposeRequest } from './suppose-request.js';
import { supposeToken } from './suppose-token.js';
import type { Supposed, Unknown } from './supposed.js';

export async function suppose(change: Change, world: Supposed): Promise<Supposed | Unknown> {
  switch (change.kind) {
    case 'line':
    case 'add line':
      return supposeLines(change, world);
    case 'token':
      return supposeToken(change.token, world);
    case 'caller':
      return supposeCaller(change.caller, world);
    case 'request':
      return supposeRequest(change.request, world);
    case 'envoy':
      return supposeEnvoy(change, world);
    case 'config':
      return supposeConfig(change, world);
    case 'file':
      return supposeFile(change, world);
    case 'several':
      return supposeAll(change.changes, world);
  }
}

async function supposeAll([change, ...others]: readonly Change[], world: Supposed): Promise<Supposed | Unknown> {
  if (change === undefined) return world;
  const next = await suppose(change, world);
  return 'unknown' in next ? next : supposeAll(others, next);
}
