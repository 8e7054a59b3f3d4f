import { SublaceError } from '@sublace/errors';
import type { Pointers, WatchOptions } from './registry.ts';

/** How a watch learns of changes. */
export interface PointersWatch extends WatchOptions {
  /** Whose labels, and where they are: for messages. */
  what: string;
  read: () => Promise<Pointers>;
  /** Longest time between two looks. */
  pollMs: number;
  /** Ends the watch. */
  signal: AbortSignal;
  /** Takes a function to be called when there may be something new. */
  onHint?: (hint: () => void) => void;
}

/**
 * Labels as they are, and again whenever their revision is another one. A registry that has lost what it had (a volume that is not mounted, a store that
 * was emptied) is one that cannot be read.
 *
 * @param options  How to look, and when; what is known.
 * @yields Labels.
 * @throws SublaceError that no later look would mend.
 */
export async function* watchPointers({ what, read, pollMs, signal, since = 0, onLook, onHint }: PointersWatch): AsyncGenerator<Pointers> {
  let seen: number | undefined;
  let isHinted = false;
  let wake = (): void => undefined;
  const look = (): void => {
    isHinted = true;
    wake();
  };
  onHint?.(look);
  signal.addEventListener('abort', look);
  try {
    while (!signal.aborted) {
      isHinted = false;
      const pointers = await read()
        .then((found) => checkNotLost(found, seen ?? since, what))
        .catch((thrown: unknown) => {
          const error = SublaceError.from(thrown);
          if (!error.isRetryable) throw thrown;
          onLook?.(error);
        });
      if (pointers) onLook?.(undefined);
      if (pointers && pointers.revision !== seen && !signal.aborted) {
        seen = pointers.revision;
        yield pointers;
        continue;
      }
      if (isHinted) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pollMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    signal.removeEventListener('abort', look);
  }
}

/** Revisions only grow: where there was one there cannot be none, whatever became of the labels. */
function checkNotLost(pointers: Pointers, known: number, what: string): Pointers {
  if (known === 0 || pointers.revision > 0) return pointers;
  throw new SublaceError('UNAVAILABLE', `${what}: expected labels of revision ${known} or later, got none at all; is it still there?`);
}
