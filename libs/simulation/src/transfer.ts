import type { FairLink, Flow } from './fair-link.ts';

/** A part of a transfer: some bytes over one link. */
export interface Leg {
  readonly link: FairLink;
  readonly bytes: number;
}

/**
 * Bytes that pass through several links at once, such as the sender's and the receiver's. Each link shares itself fairly between the legs it
 * carries; the transfer is over when every leg is. It can be suspended for a while, or for good, as when one end stands still or is gone.
 */
export class Transfer {
  readonly #legs: { link: FairLink; flow: Flow | undefined; left: number }[];
  #onEnd: () => void = () => undefined;
  #runningCount = 0;
  #isStarted = false;
  #isSuspended = false;

  /**
   * @param legs  Its parts; those without bytes are left out.
   */
  constructor(legs: readonly Leg[]) {
    this.#legs = legs.filter(({ bytes }) => bytes > 0).map(({ link, bytes }) => ({ link, flow: undefined, left: bytes }));
  }

  /**
   * Starts it; what is suspended already starts with {@link resume}.
   *
   * @param onEnd  Called when every part is over: before this returns when there is none.
   */
  start(onEnd: () => void): void {
    this.#onEnd = onEnd;
    this.#isStarted = true;
    if (!this.#isSuspended) this.resume();
  }

  /** Stands still from now on. */
  suspend(): void {
    this.#isSuspended = true;
    for (const leg of this.#legs) {
      if (leg.flow) leg.left = leg.link.stop(leg.flow);
      leg.flow = undefined;
    }
  }

  /** Goes on after {@link suspend}. */
  resume(): void {
    this.#isSuspended = false;
    if (!this.#isStarted) return;
    const open = this.#legs.filter((leg) => leg.left > 0);
    this.#runningCount = open.length;
    if (open.length === 0) this.#onEnd();
    for (const leg of open) {
      leg.flow = leg.link.start(leg.left, () => {
        leg.flow = undefined;
        leg.left = 0;
        this.#runningCount--;
        if (this.#runningCount === 0) this.#onEnd();
      });
    }
  }
}
