/** What can be played: rows, what must come of each, and the stage that they need. */
import { EXPECTED } from './expected.js';
import type { Expected } from './expected.js';
import type { Programs } from './players.js';
import type { Section } from './row.js';
import { SECTIONS } from './rows.js';
import { setStage } from './stage.js';
import type { Stage } from './stage.js';
import { THEFT_EXPECTED } from './theft-expected.js';
import { THEFT_SECTIONS } from './theft-rows.js';
import { setTheftStage } from './theft-stage.js';

export interface Piece {
  readonly sections: readonly Section[];
  /** By the name of the row. */
  readonly expected: ReadonlyMap<string, Expected>;
  setStage(programs: Programs): Promise<Stage>;
}

/** Whose rows these are. */
export const pieceWith = (rows: readonly string[]): Piece =>
  rows.every((name) => THEFT_EXPECTED.has(name)) ? THEFT : MAIN;

const rows = { sections: SECTIONS, expected: EXPECTED };
export const MAIN: Piece = { ...rows, setStage: (programs) => setStage(programs, 'files') };
/** The same rows, with bundles and keys from a Workload API. */
export const SPIFFE: Piece = { ...rows, setStage: (programs) => setStage(programs, 'workload-api') };
export const THEFT: Piece = { sections: THEFT_SECTIONS, expected: THEFT_EXPECTED, setStage: setTheftStage };
