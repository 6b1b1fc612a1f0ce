/** The words in which unmet*.ts say what a request lacks of a line. */
import type { TrustDomain } from '../model/ids.js';
import type { Line } from '../model/policy.js';
import type { Refusal } from '../model/result.js';

/** The first thing that is missing; undefined where nothing is. */
export type Missing = Refusal | undefined;

/** null where the operator named none. */
export type EnvironmentOf = (domain: TrustDomain) => string | null;

export const nameOf = (line: Line): string => `line ${String(line.number)}`;
