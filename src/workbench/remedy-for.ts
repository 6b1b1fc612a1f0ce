/** A remedy whose text is safe to show: a cause may quote the request, and what is repeated of it is as safe as a detail. */
import { explanation } from '../audit/explanation.js';
import { requestFacts } from '../audit/request-facts.js';
import type { Remedy } from './change.js';
import type { Cause } from './failed-step.js';
import { remedyOf } from './remedy.js';
import type { Scene } from './scene.js';

export function remedyFor(cause: Cause, scene: Scene): Remedy {
  const request = scene.attributes && requestFacts(scene.attributes);
  const detail = explanation(cause.detail, request, scene.outcome.findings.presented) ?? '';
  return remedyOf({ ...scene, cause: { ...cause, detail } });
}
