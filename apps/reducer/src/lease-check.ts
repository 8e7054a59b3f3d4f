import type { LeaseRef } from '@sublace/scheduling';

/** How long an answer counts. Longer than a block takes to send, shorter than anything could come of a lease that was lost since. */
const VALID_MS = 1000;

/** Leases that may have the sums: asked of the coordinator at most once a second for each, however many tiles are sent. */
export class LeaseCheck {
  readonly #ask: (lease: LeaseRef) => Promise<void>;
  readonly #asked = new Map<number, { answer: Promise<void>; atMs: number }>();

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
    for (const [token, { atMs }] of this.#asked) if (nowMs - atMs > VALID_MS) this.#asked.delete(token);
    // The token names the lease, but what it is the token of may be a lie: the coordinator compares all of it.
    const known = this.#asked.get(lease.leaseToken);
    const answer = known?.answer ?? this.#ask(lease);
    if (!known) this.#asked.set(lease.leaseToken, { answer, atMs: nowMs });
    await answer;
  }
}
