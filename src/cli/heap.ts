/**
 * How V8 keeps the heap of a guard, chosen by measurement (`npm run bench -- --only memory,rounds`): a guard stands beside each
 * pod, and memory that V8 does not give back is paid for by everybody. Flags of the engine, not of Node: one that it does not
 * know is complained about on stderr, and changes nothing. Does NOT bound the heap.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * Before the guard is loaded. The young generation stays at 1 MiB: what is loaded lives on, and would blow it up to 16 MiB for
 * good. The old one is collected when it has doubled; V8 itself waits for up to four times what is alive.
 */
export function beginSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=100');
}

/** Once it serves: under load a young generation that grows costs less than copying often. */
export const growWithLoad = (): void => setFlagsFromString('--semi-space-growth-factor=2');
