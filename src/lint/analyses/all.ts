import type { Analysis } from '../sheet.js';
import { checkCeilings } from './ceilings.js';
import { checkDomains } from './domains.js';
import { checkForwarders } from './forwarders.js';
import { checkGrants } from './grants.js';
import { checkGuardrailsAbove } from './guardrails.js';
import { checkLookalikes } from './lookalikes.js';
import { checkOptions } from './options.js';
import { checkOutside } from './outside.js';
import { checkReachable } from './reachable.js';
import { checkRights } from './rights.js';
import { checkShadows } from './shadows.js';
import { checkWrites } from './writes.js';

/** Everything that is looked for in an owner's lines, and what of it makes sense for the operator's. */
export const ANALYSES: readonly Analysis[] = [
  checkReachable,
  checkWrites,
  checkShadows,
  checkRights,
  checkGrants,
  checkGuardrailsAbove,
  checkCeilings,
  checkDomains,
  checkForwarders,
  checkOutside,
  checkOptions,
  checkLookalikes,
];

export const GUARDRAIL_ANALYSES: readonly Analysis[] = [
  checkGrants,
  checkDomains,
  checkForwarders,
  checkOutside,
  checkLookalikes,
];
