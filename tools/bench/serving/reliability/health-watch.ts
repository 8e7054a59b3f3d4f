import { setTimeout as sleep } from 'node:timers/promises';
import type { ServingProcess } from '../serving-process.ts';

/** One health check. */
export interface HealthCheck {
  readonly ms: number;
  /** Whether it was answered 200. */
  readonly isGood: boolean;
}

/** Time between checks, ms. */
const GAP_MS = 100;

/**
 * Asks a server whether it lives and is ready, in turn, as load balancers do: each time by a new connection.
 *
 * @param server  The server.
 * @returns  `stop` ends it and gives all checks.
 */
export function watchHealth({ httpPort }: Pick<ServingProcess, 'httpPort'>): { stop(): Promise<HealthCheck[]> } {
  const checks: HealthCheck[] = [];
  let isWatching = true;
  const watch = async (): Promise<void> => {
    for (let i = 0; isWatching; i += 1) {
      const start = performance.now();
      const path = i % 2 === 0 ? 'live' : 'ready';
      const isGood = await fetch(`http://127.0.0.1:${httpPort}/v2/health/${path}`, { headers: { connection: 'close' } }).then(
        async (response) => (await response.text()) !== '' && response.status === 200,
        () => false,
      );
      checks.push({ ms: performance.now() - start, isGood });
      await sleep(GAP_MS);
    }
  };
  const watching = watch();
  return {
    async stop() {
      isWatching = false;
      await watching;
      return checks;
    },
  };
}
