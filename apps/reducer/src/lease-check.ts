import type { LeaseRef } from '@sublace/scheduling';

/** How long an answer counts. Longer than a block takes to send, shorter than anything could come of a lease that was lost since. */
const VALID_MS = 1000;

/** Leases that may have the sums: asked of the coordinator at most once a second for each, however many tiles are sent. */
export class LeaseCheck {
  readonly #ask: (lease: LeaseRef) => Promise<void>;
  readonly #asked = new Map<string, { answer: Promise<void>; atMs: number }>();

  /**
   * @param ask  Asks the coordinator; throws FENCED when the lease is not current.
   */
  constructor(ask: (lease: LeaseRef) => Promise<void>) {
    this.#ask = ask;
  }

  /**
   * Makes sure that a lease is current.
   *
   * @param lease  The lease.
   * @throws SublaceError FENCED when it is not, UNAVAILABLE when the coordinator cannot be asked.
   */
  async check(lease: LeaseRef): Promise<void> {
    const nowMs = performance.now();
    for (const [old, { atMs }] of this.#asked) if (nowMs - atMs > VALID_MS) this.#asked.delete(old);
    // All of it: the token alone would let the holder of one lease ask for the sums of another job.
    const key = [lease.jobId, lease.phase, lease.shard, lease.leaseToken].join('/');
    const known = this.#asked.get(key);
    const answer = known?.answer ?? this.#ask(lease);
    if (!known) this.#asked.set(key, { answer, atMs: nowMs });
    await answer;
  }
}
