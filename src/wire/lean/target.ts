/** A path → what is asked of. Compared whole and exactly, as gRPC servers do. */
import { CHECK_PATH, HEALTH_PREFIX } from '../names.js';

export const UNKNOWN = 0;
export const CHECK = 1;
export const HEALTH_CHECK = 2;
export const HEALTH_WATCH = 3;

export function targetOf(path: string): number {
  if (path === CHECK_PATH) return CHECK;
  if (path === `${HEALTH_PREFIX}Check`) return HEALTH_CHECK;
  return path === `${HEALTH_PREFIX}Watch` ? HEALTH_WATCH : UNKNOWN;
}
