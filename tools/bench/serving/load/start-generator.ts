import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadOrder, LoadWindow } from './generator.ts';

/** A process that makes load. */
export interface Generator {
  readonly pid: number;
  /** One measurement; one at a time. */
  run(order: LoadOrder): Promise<LoadWindow>;
  stop(): void;
}

/**
 * Starts a load generator.
 *
 * @returns  It; the caller stops it.
 */
export function startGenerator(): Generator {
  const child = fork(fileURLToPath(new URL('./generator-process.ts', import.meta.url)), { serialization: 'advanced' });
  const gone = once(child, 'exit').then(([status]) => {
    throw new Error(`load generator: expected it to stay, got exit code ${status as number}`);
  });
  gone.catch(() => undefined);
  return {
    pid: child.pid!,
    async run(order) {
      const answer = once(child, 'message');
      child.send(order);
      const [window] = (await Promise.race([answer, gone])) as [LoadWindow];
      return window;
    },
    stop: () => child.disconnect(),
  };
}
