/**
 * Whose turn it is: start-time fair queueing (Goyal, Vin and Cheng 1996) with seconds of computing for bytes of packets. A batch of a model has a
 * start tag and a finish tag in virtual time,
 *
 *   start = max(virtual time when the model began to wait, finish of its batch before),   finish = start + seconds that it took,
 *
 * the model with the smallest start tag is next, and virtual time is the start tag of the batch that is computed. So of any two models that both
 * have requests waiting all the time, over any interval neither is computed for longer than the other by more than one batch of each:
 *
 *   |W_a - W_b| <= longest batch of a + longest batch of b,
 *
 * however many requests wait for either and whatever they cost; and a model that was idle has no credit to spend, and no debt to pay.
 */
export class FairClock {
  /** By model, the start tag of its next batch: seconds. */
  readonly #starts = new Map<string, number>();
  #virtualTime = 0;

  /**
   * A model has requests that wait, where it had none.
   *
   * @param name  Of the model.
   */
  began(name: string): void {
    this.#starts.set(name, Math.max(this.#starts.get(name) ?? 0, this.#virtualTime));
  }

  /**
   * Chooses.
   *
   * @param names  Models that have a batch, each of which began to wait.
   * @returns  The one whose turn it is; of equals the first. Undefined for none.
   */
  next(names: Iterable<string>): string | undefined {
    let best: string | undefined;
    for (const name of names) if (best === undefined || this.#start(name) < this.#start(best)) best = name;
    return best;
  }

  /**
   * A batch goes to be computed; no other is, before it ends.
   *
   * @param name  Of the model.
   */
  started(name: string): void {
    this.#virtualTime = Math.max(this.#virtualTime, this.#start(name));
  }

  /**
   * It has been computed.
   *
   * @param name  Of the model.
   * @param seconds  What it took.
   */
  ended(name: string, seconds: number): void {
    this.#starts.set(name, this.#start(name) + seconds);
  }

  /** Nothing waits and nothing is computed: nobody owes anybody anything. */
  reset(): void {
    this.#starts.clear();
    this.#virtualTime = 0;
  }

  #start(name: string): number {
    const start = this.#starts.get(name);
    if (start === undefined) throw new RangeError(`fair clock: expected a model that began to wait, got '${name}'`);
    return start;
  }
}
