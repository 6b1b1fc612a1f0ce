/** Waits for a condition, never for a time. Throws when it does not come true in `ms`. */
export async function until(condition: () => boolean | Promise<boolean>, ms: number): Promise<void> {
  const end = performance.now() + ms;
  for (;;) {
    if (await condition()) return;
    if (performance.now() > end) throw new Error(`still not so after ${ms} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Contract section 9: a changed file counts within 5 s. */
export const CHANGED_FILE_COUNTS = 5000;
