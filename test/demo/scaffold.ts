/**
 * What carries a stage: whatever was put up is taken down again, the last first, also where building it failed half-way.
 * In: how to build. Out: what was built, and how to take it down.
 */
export type Undo = () => Promise<unknown>;

export async function scaffold<T>(
  build: (later: (undo: Undo) => void) => Promise<T>,
): Promise<{ readonly built: T; readonly strike: Undo }> {
  const stack: Undo[] = [];
  const strike = async (): Promise<void> => {
    for (const undo of stack.reverse().splice(0)) await undo();
  };
  try {
    return { built: await build((undo) => void stack.push(undo)), strike };
  } catch (error) {
    await strike();
    throw error;
  }
}
