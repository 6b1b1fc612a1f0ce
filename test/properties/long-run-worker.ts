/** A process of `npm run long-run`. In, by arguments: way, seed, steps. Out, by message: what was played, or why it was not. */
import { longRun } from './long-run.js';
import { WAYS } from './carried.js';
import { makeWorld } from './model.js';

const [way, seed, steps] = process.argv.slice(2);
const over = WAYS.find((each) => each === way);

async function main(): Promise<void> {
  if (over === undefined) throw new Error(`there is no way ${String(way)}`);
  const played = await longRun({ world: await makeWorld(), over, seed: Number(seed), steps: Number(steps) });
  process.send?.({ played });
}

main().then(
  () => process.disconnect(),
  (error: unknown) => {
    process.send?.({ error: error instanceof Error ? error.stack : String(error) });
    process.exitCode = 1;
    process.disconnect();
  },
);
