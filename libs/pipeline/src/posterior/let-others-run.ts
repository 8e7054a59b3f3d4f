import { setImmediate } from 'node:timers/promises';

/** Lets everything else that waits for this thread have its turn: between the slices of long work. */
export async function letOthersRun(): Promise<void> {
  await setImmediate();
}
