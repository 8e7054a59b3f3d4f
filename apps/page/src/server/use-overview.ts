import { useEffect, useState } from 'preact/hooks';
import { addToHistory, emptyHistory, type History } from './history.ts';
import type { Overview } from './overview.ts';
import type { ServerApi } from './server-api.ts';
import { isAbort } from './server-error.ts';

/** What is known of the server now. */
export interface ServerState {
  readonly overview: Overview | null;
  readonly history: History;
  /** Of the last call; null when it was answered. */
  readonly error: unknown;
}

const intervalMs = 1000;

/**
 * Asks for the overview each second while the page is visible.
 *
 * @param api  The server.
 * @param isPaused  Asks nothing while true.
 * @returns  The newest answer, and what was seen so far.
 */
export function useOverview(api: ServerApi, isPaused: boolean): ServerState {
  const [state, setState] = useState<ServerState>({ overview: null, history: emptyHistory, error: null });
  useEffect(() => {
    if (isPaused) return;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isAsking = false;
    let sinceMs = 0;
    const ask = async (): Promise<void> => {
      if (document.hidden || isAsking) return;
      isAsking = true;
      try {
        const overview = await api.overview(sinceMs, controller.signal);
        // The second under way is not told yet, so the next call asks for everything since a little earlier.
        sinceMs = Math.max(0, overview.atMs - 10_000);
        setState(({ history }) => ({ overview, history: addToHistory(history, overview), error: null }));
      } catch (error) {
        if (isAbort(error)) return;
        setState((before) => ({ ...before, error }));
      } finally {
        isAsking = false;
        if (!controller.signal.aborted) timer = setTimeout(() => void ask(), intervalMs);
      }
    };
    void ask();
    const wake = (): void => {
      clearTimeout(timer);
      void ask();
    };
    document.addEventListener('visibilitychange', wake);
    return () => {
      controller.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', wake);
    };
  }, [api, isPaused]);
  return state;
}
