import { describe, expect, it } from 'vitest';
import { heard, run } from '../src/waiting.js';
import type { Soon, Steps } from '../src/waiting.js';

function* sum(answers: readonly Soon<number>[]): Steps<number> {
  let total = 0;
  for (const answer of answers) total += yield* heard(answer);
  return total;
}

function* caught(answer: Soon<number>): Steps<string> {
  try {
    return String(yield* heard(answer));
  } catch (fault) {
    return `caught ${String(fault)}`;
  }
}

describe('work that may have to wait', () => {
  it('ends at once where nothing has to be waited for', () => {
    expect(run(sum([1, 2, 3]))).toBe(6);
  });

  it('waits where something does, and goes on where it was', async () => {
    const result = run(sum([1, Promise.resolve(2), 3, Promise.resolve(4)]));
    expect(result).toBeInstanceOf(Promise);
    expect(await result).toBe(10);
  });

  it('hears the fault of what it waits for', async () => {
    expect(await run(caught(Promise.reject(new Error('gone'))))).toBe('caught Error: gone');
  });

  it('is rejected with a fault that nobody catches, and throws one that comes before the first wait', async () => {
    await expect(run(sum([Promise.reject(new Error('gone'))]))).rejects.toThrow('gone');
    const broken = function* (): Steps<number> {
      throw new Error('broken');
      yield Promise.resolve();
    };
    expect(() => run(broken())).toThrow('broken');
  });
});
