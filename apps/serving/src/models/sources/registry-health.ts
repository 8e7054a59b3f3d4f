import { setTimeout as sleep } from 'node:timers/promises';
import type { SublaceError } from '@sublace/errors';
import type { ServingLog } from '../../log.ts';

/** What a failure is about: the registry as a whole, or what it says of one name. */
type Scope = 'registry' | 'labels';

/**
 * Whether a registry can be read, as those know who look at it: one looks at the list of names, and one at each name. It is said once when it cannot be
 * read, and once when it can again. One look that succeeds says nothing of the others: a folder that is gone lists no names, without an error.
 */
export class RegistryHealth {
  readonly #log: ServingLog;
  readonly #served: () => object;
  /** By name; '' is the list of names. */
  readonly #failing = new Map<string, Scope>();
  #recovered = new AbortController();

  /**
   * @param log  Where to say it.
   * @param served  What is served now, for the log.
   */
  constructor(log: ServingLog, served: () => object) {
    this.#log = log;
    this.#served = served;
  }

  /**
   * Waits before the next look. It ends as soon as a look that failed has succeeded: others that failed may then succeed as well.
   *
   * @param delayMs  Longest wait, milliseconds.
   */
  async pause(delayMs: number): Promise<void> {
    await sleep(delayMs, undefined, { signal: this.#recovered.signal, ref: false }).catch(() => undefined);
  }

  /** Ends every pause. */
  wake(): void {
    this.#recovered.abort();
    this.#recovered = new AbortController();
  }

  /**
   * Takes the result of one look.
   *
   * @param name  Whose labels were looked at; empty: the list of names.
   * @param failure  Why they could not be read; undefined when they could.
   */
  look(name: string, failure: SublaceError | undefined): void {
    const [before, now] = [this.#failing.get(name), failure && scopeOf(name, failure)];
    if (before === now) return;
    const couldBeRead = this.#canBeRead;
    if (now) this.#failing.set(name, now);
    else this.#failing.delete(name);
    if (couldBeRead && !this.#canBeRead) {
      this.#log.error({ reason: failure?.message, served: this.#served() }, 'registry cannot be read; what is served stays served');
    }
    if (!couldBeRead && this.#canBeRead) this.#log.info({}, 'registry can be read again');
    if (now === 'labels') {
      this.#log.error({ model: name, reason: failure?.message }, 'labels of the registry cannot be read; what is served stays served');
    }
    if (before === 'labels' && now === undefined) this.#log.info({ model: name }, 'labels of the registry can be read again');
    if (now === undefined) this.wake();
  }

  get #canBeRead(): boolean {
    return ![...this.#failing.values()].includes('registry');
  }
}

/** What a later look may mend, or other credentials, holds for every name alike; the rest is a damaged entry. */
function scopeOf(name: string, { code, isRetryable }: SublaceError): Scope {
  return name === '' || isRetryable || code === 'UNAUTHENTICATED' ? 'registry' : 'labels';
}
