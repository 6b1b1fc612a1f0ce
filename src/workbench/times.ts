/** Moments and spans for people: `2026-11-24T00:00:00.000Z (in 2h 5m)`. */
import { spanText } from '../model/duration.js';

export const distanceText = (time: number, now: number): string =>
  time > now ? `in ${spanText(time - now)}` : `${spanText(now - time)} ago`;

/** A time that no calendar has is shown as its number. */
export const momentText = (time: number, now: number): string =>
  Math.abs(time) <= 8.64e15 ? `${new Date(time).toISOString()} (${distanceText(time, now)})` : String(time);
