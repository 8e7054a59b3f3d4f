import { SublaceError } from '@sublace/errors';
import type { WorkerClient } from '@sublace/protocol';
import type { LeaseRef } from '@sublace/scheduling';

/** Progress is reported at most this often; renewals come at a third of the lease duration anyway. */
const REPORT_INTERVAL_MS = 500;

/** A lease that is renewed until it is let go or lost. */
export class HeldLease {
  readonly ref: LeaseRef;
  readonly #client: WorkerClient;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #progress = { done: 0, total: 0 };
  #renewedMs = Date.now();
  #isRenewing = false;

  /**
   * @param client  Connection to the coordinator.
   * @param ref  The lease.
   * @param leaseDurationMs  How long it lasts without renewal.
   */
  constructor(client: WorkerClient, ref: LeaseRef, leaseDurationMs: number) {
    this.#client = client;
    this.ref = ref;
    this.#timer = setInterval(() => void this.#renew(), leaseDurationMs / 3);
  }

  /** Aborts when somebody else has the shard, or the job is over: the result is worth nothing. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Takes progress of the compute thread and passes it on with a renewal.
   *
   * @param done  How much is done.
   * @param total  Of how much.
   */
  report(done: number, total: number): void {
    this.#progress = { done, total };
    if (Date.now() - this.#renewedMs >= REPORT_INTERVAL_MS) void this.#renew();
  }

  /** Stops renewing. */
  letGo(): void {
    clearInterval(this.#timer);
  }

  async #renew(): Promise<void> {
    if (this.#isRenewing || this.lost.aborted) return;
    this.#isRenewing = true;
    this.#renewedMs = Date.now();
    try {
      await this.#client.renewLease(this.ref, this.#progress);
    } catch (error) {
      // A coordinator out of reach may come back before the lease ends; only a clear answer ends it here.
      const { code } = SublaceError.from(error);
      if (code === 'FENCED' || code === 'NOT_FOUND') {
        this.letGo();
        this.#lost.abort();
      }
    } finally {
      this.#isRenewing = false;
    }
  }
}
