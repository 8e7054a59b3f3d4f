const WHOLE = 1_000_000;

/**
 * Decides which requests belong to a share of them, without chance: of any n in a row, n times the share, up to one. What is owed is carried on, as in
 * error diffusion.
 */
export class TrafficShare {
  /** In millionths: sums of whole numbers do not drift. */
  #part = 0;
  #owed = 0;

  /**
   * Changes the share; what is owed stays owed.
   *
   * @param share  0 to 1, taken to six places.
   */
  set(share: number): void {
    this.#part = Math.round(share * WHOLE);
  }

  /** The share, 0 to 1. */
  get value(): number {
    return this.#part / WHOLE;
  }

  /**
   * Whether the next request is one of the share.
   *
   * @returns  True for `share` of the calls.
   */
  take(): boolean {
    this.#owed += this.#part;
    if (this.#owed < WHOLE) return false;
    this.#owed -= WHOLE;
    return true;
  }
}
