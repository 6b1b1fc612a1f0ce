/** `--theft`: what is sent to the two replicas of `orders`, in this order. What must come of it is in theft-expected.ts. */
import { row } from './row.js';
import type { Row, Section, Sketch } from './row.js';
import { SPELLING_NAMES } from './spellings.js';

/**
 * Every call is refused with 503 where the store does not answer in time, and in the first moments of a new store; on a busy
 * machine that is no failure, so such a call is made again. A call that is let in wrongly is never made again.
 */
const orders = (name: string, sketch: Sketch, number = 1): Row =>
  row(name, `GET /orders/${number}`, { token: 'unbound', whileStatus: 503, ...sketch });

/** Each spelling at one of the replicas, in turn. */
const replica = (index: number): Row['to'] => (index % 2 === 0 ? 'sidecar' : 'second');

export const THEFT_SECTIONS: readonly Section[] = [
  {
    title: 'An unbound token of frontend, and two replicas that share what they know',
    rows: [
      orders('its owner at the first', { times: 100 }),
      orders('its owner at the second', { to: 'second', times: 100 }),
      orders('stolen, at the first', { as: 'thief' }),
      orders('stolen, at the second', { as: 'thief', to: 'second' }),
      orders('stolen, on another route', { as: 'thief', to: 'second' }, 2),
    ],
  },
  {
    title: 'Where its owner never was',
    rows: [
      orders('owner of another token, at the first alone', { token: 'untravelled' }),
      orders('stolen, at the second that never saw it', {
        token: 'untravelled',
        as: 'thief',
        to: 'second',
      }),
      orders('its owner comes there after the thief', { token: 'untravelled', to: 'second' }),
    ],
  },
  {
    title: 'The thief spells it in another way',
    rows: SPELLING_NAMES.map((spelling, index) => orders(spelling, { as: 'thief', to: replica(index), spelling })),
  },
  {
    title: 'And its owner',
    rows: [
      orders('goes on at the first', {}),
      orders('goes on at the second', { to: 'second' }),
      orders('goes on with the twin signature', { spelling: 'the twin signature' }),
      orders('goes on in small letters', {
        to: 'second',
        spelling: 'the scheme in small letters',
      }),
    ],
  },
];
