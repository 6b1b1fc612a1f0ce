/** Asks again until the answer is there. Throws, with what was waited for, when the time is up. */
import { setTimeout as sleep } from 'node:timers/promises';

export async function poll<T>(
  what: string,
  limit: number,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const end = Date.now() + limit;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() >= end) throw new Error(`waited ${limit} ms in vain for ${what}`);
    await sleep(50);
  }
}
