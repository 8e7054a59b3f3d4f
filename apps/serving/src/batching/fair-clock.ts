/** Where one model stands. */
interface Turn {
  /** Virtual time at which its next batch starts: what it has been computed for, seconds, counted from when it last began to wait. */
  start: number;
  /** What its last batch took, the best guess at the next. */
  lastCost: number;
}

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
  readonly #turns = new Map<string, Turn>();
  #virtualTime = 0;

  /**
   * A model has requests that wait, where it had none.
   *
   * @param name  Of the model.
   */
  began(name: string): void {
    const turn = this.#turns.get(name);
    if (turn) turn.start = Math.max(turn.start, this.#virtualTime);
    else this.#turns.set(name, { start: this.#virtualTime, lastCost: 0 });
  }

  /**
   * Chooses.
   *
   * @param names  Models that have a batch, each of which began to wait.
   * @returns  The one whose turn it is; of equals the first. Undefined for none.
   */
  next(names: Iterable<string>): string | undefined {
    let best: string | undefined;
    for (const name of names) if (best === undefined || this.#turn(name).start < this.#turn(best).start) best = name;
    return best;
  }

  /**
   * A batch goes to be computed. Its cost is not known yet: until it is, the model is charged what its last batch took.
   *
   * @param name  Of the model.
   * @returns  What the batch really cost is told to this function once, in seconds.
   */
  started(name: string): (seconds: number) => void {
    const turn = this.#turn(name);
    this.#virtualTime = Math.max(this.#virtualTime, turn.start);
    const charged = turn.lastCost;
    turn.start += charged;
    return (seconds) => {
      turn.start += seconds - charged;
      turn.lastCost = seconds;
    };
  }

  /** Nothing waits and nothing is computed: nobody owes anybody anything. */
  reset(): void {
    this.#turns.clear();
    this.#virtualTime = 0;
  }

  #turn(name: string): Turn {
    const turn = this.#turns.get(name);
    if (!turn) throw new RangeError(`fair clock: expected a model that began to wait, got '${name}'`);
    return turn;
  }
}
