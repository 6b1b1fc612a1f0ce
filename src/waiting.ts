/**
 * Work that may have to wait for somebody, in steps. In: a generator that yields what it waits for. Out: its result at once where
 * it waited for nothing, else a promise. A fault of what it waits for is thrown inside of it, as `await` would.
 */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

/** There, or to be waited for. */
export type Soon<T> = T | Promise<T>;

/** Inside of the steps what `await` is elsewhere, but for nothing where there is nothing to wait for. */
export function* heard<T>(answer: Soon<T>): Steps<T> {
  return answer instanceof Promise ? ((yield answer) as T) : answer;
}

/** What is thrown before the first wait is thrown at once; later the promise is rejected with it. */
export function run<T>(steps: Steps<T>): Soon<T> {
  const first = steps.next();
  return first.done === true ? first.value : goOn(steps, first.value);
}

async function goOn<T>(steps: Steps<T>, first: Promise<unknown>): Promise<T> {
  for (let waited = first; ;) {
    const next = await waited.then(
      (value) => steps.next(value),
      (fault: unknown) => steps.throw(fault),
    );
    if (next.done === true) return next.value;
    waited = next.value;
  }
}
