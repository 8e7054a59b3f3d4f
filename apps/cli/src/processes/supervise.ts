import { setTimeout as sleep } from 'node:timers/promises';
import type { SublaceError } from '@sublace/errors';
import { failure, isEnding, type ManagedProcess, type ProcessExit } from './start-process.ts';

/** How a process is kept running. */
export interface Supervision {
  /** Starts it; called again whenever it has ended. The signal aborts when it is no longer wanted. */
  readonly start: (signal: AbortSignal) => Promise<ManagedProcess>;
  /** Times in a row that it may end young before it is given up. */
  readonly attemptsMax: number;
  /** Shorter lives are young, ms. */
  readonly youngMs: number;
  /** Pause before it is started again, ms. */
  readonly pauseMs: number;
  /** Told, in one line, when it is started again. */
  readonly onNote: (line: string) => void;
}

/** A process that is started again whenever it ends. */
export interface Supervised {
  /** Resolves when it runs for the first time; rejects when it does not start. */
  readonly started: Promise<ManagedProcess>;
  /** Settles with the reason when it is given up. */
  readonly givenUp: Promise<SublaceError>;
  /** Ends it for good. */
  stop(): Promise<void>;
}

/** Exit codes after which another start would end the same way: a wrong option, a configuration or data error. */
const HOPELESS = new Set([2, 42]);

/**
 * Keeps a process running: one that ends by itself is started again, unless it says that this is of no use, or ends young too often.
 *
 * @param supervision  How.
 * @returns  The process, whichever one it is at a time.
 */
export function supervise(supervision: Supervision): Supervised {
  const { start, attemptsMax, youngMs, pauseMs, onNote } = supervision;
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: ManagedProcess | undefined;
  let giveUp: (error: SublaceError) => void = () => undefined;
  const givenUp = new Promise<SublaceError>((resolve) => {
    giveUp = resolve;
  });
  const isUnwanted = (): boolean => signal.aborted || isEnding();

  const launch = async (): Promise<ManagedProcess> => {
    const launched = await start(signal);
    if (signal.aborted) await launched.stop();
    running = launched;
    return launched;
  };
  const keep = async (first: ManagedProcess): Promise<void> => {
    let current = first;
    let youngDeaths = 0;
    for (;;) {
      const bornMs = Date.now();
      const exit: ProcessExit = await current.exit;
      if (isUnwanted()) return;
      youngDeaths = Date.now() - bornMs < youngMs ? youngDeaths + 1 : 0;
      if (HOPELESS.has(exit.status ?? -1) || youngDeaths >= attemptsMax) {
        giveUp(failure(current.name, exit));
        return;
      }
      onNote(`${current.name} ended (${exit.signal ?? `exit code ${exit.status}`}); starting another`);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      if (isUnwanted()) return;
      current = await launch();
    }
  };

  const started = launch();
  const kept = started.then(keep);
  // The first start is reported by `started`; later ones that fail end the supervision.
  kept.catch((error: unknown) => giveUp(error as SublaceError));
  return {
    started,
    givenUp,
    async stop() {
      stopping.abort();
      await running?.stop();
      await kept.catch(() => undefined);
    },
  };
}
