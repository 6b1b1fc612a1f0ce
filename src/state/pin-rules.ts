/**
 * What a pin says to a presenter, wherever it is kept. In: what the pin remembers, who presents. Out: whether that one
 * holds it; the refusals that the stores share. Does NOT look at the time.
 */
import type { PinClaim, Pinned, Presenter } from '../model/pin.js';
import { ok, refuse } from '../model/result.js';
import type { Refusal, Result } from '../model/result.js';

export const holds = ({ first, contestedBy }: Pinned, { presenter, sharedWith }: PinClaim): boolean =>
  contestedBy === undefined && (isSame(first.presenter, presenter) || sharedWith(first.presenter.id));

/** A pin that was written without a key can not tell instances apart: it is kept to by none. */
export const isSame = (first: Presenter, now: Presenter): boolean =>
  first.id === now.id && (now.key === undefined || now.key === first.key);

export const heldBy = (pinned: Pinned, pin: PinClaim): Result<void> =>
  holds(pinned, pin) ? ok(undefined) : presenterChanged(pinned, pin);

function presenterChanged({ first, contestedBy }: Pinned, { presenter }: PinClaim): Refusal {
  const contest = contestedBy === undefined ? '' : `, contested by ${told(contestedBy)}`;
  return refuse(
    'token_presenter_changed',
    `first presented by ${told(first.presenter)}${contest}, now by ${told(presenter)}`,
    'each workload must fetch a token of its own; workloads that share one by design are listed in presenters',
  );
}

const told = ({ id, key }: Presenter): string => (key === undefined ? id : `${id} (key ${key.slice(0, 16)}…)`);

export const usedUp: Refusal = refuse(
  'token_replayed',
  'the token was used on this line before',
  'fetch a new token for each call of this route',
);

export const pinsFull = (max: number): Refusal =>
  refuse('store_unavailable', `the table of pins is full (${max} live entries)`);

export const usesFull = (max: number): Refusal =>
  refuse('store_unavailable', `the table of used tokens is full (${max} live entries)`);
