import { Heap } from './heap.ts';

interface Planned {
  atSeconds: number;
  order: number;
  act: () => void;
}

/** Virtual time: what is planned for the earliest moment happens first, and of equal moments what was planned first. */
export class Timeline {
  readonly #planned = new Heap<Planned>((a, b) => a.atSeconds < b.atSeconds || (a.atSeconds === b.atSeconds && a.order < b.order));
  #now = 0;
  #order = 0;

  /** The time, in seconds since the start. */
  get now(): number {
    return this.#now;
  }

  /** Events that were planned so far. */
  get eventCount(): number {
    return this.#order;
  }

  /**
   * Plans something.
   *
   * @param atSeconds  When; not before now.
   * @param act  What happens then.
   */
  at(atSeconds: number, act: () => void): void {
    this.#planned.push({ atSeconds: Math.max(atSeconds, this.#now), order: this.#order++, act });
  }

  /**
   * Plans something a while ahead.
   *
   * @param seconds  How far ahead; never for Infinity.
   * @param act  What happens then.
   */
  after(seconds: number, act: () => void): void {
    if (seconds < Infinity) this.at(this.#now + seconds, act);
  }

  /**
   * Lets the next planned thing happen.
   *
   * @returns  False when nothing is planned.
   */
  next(): boolean {
    const planned = this.#planned.pop();
    if (!planned) return false;
    this.#now = planned.atSeconds;
    planned.act();
    return true;
  }
}
