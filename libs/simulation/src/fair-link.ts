import { Heap } from './heap.ts';
import type { Timeline } from './timeline.ts';

/** Bytes on their way over one link. */
export interface Flow {
  /** Bytes that a single flow must have been given since the link was last empty for this one to be whole. */
  readonly finish: number;
  readonly order: number;
  readonly onEnd: () => void;
  isActive: boolean;
}

/**
 * One direction of a link, shared equally between the flows that it carries at the time (processor sharing): n flows get bandwidth / n each.
 *
 * Every flow gets the same, so one number, the bytes given to each since the link was last empty, tells when any of them ends; nothing is updated
 * per flow. An arrival or end costs O(log n).
 */
export class FairLink {
  /** Bytes carried, also for flows that were stopped. */
  bytes = 0;
  /** Time with at least one flow. */
  busySeconds = 0;
  readonly #timeline: Timeline;
  readonly #bytesPerSecond: number;
  readonly #flows = new Heap<Flow>((a, b) => a.finish < b.finish || (a.finish === b.finish && a.order < b.order));
  #activeCount = 0;
  #given = 0;
  #updatedSeconds = 0;
  #order = 0;
  #plan = 0;

  /**
   * @param timeline  The time.
   * @param bytesPerSecond  Bandwidth; Infinity for a link that never holds anything up.
   */
  constructor(timeline: Timeline, bytesPerSecond: number) {
    this.#timeline = timeline;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /**
   * Sends bytes from now on.
   *
   * @param bytes  How many.
   * @param onEnd  Called, later in the order of events, when the link has carried them all.
   * @returns  The flow.
   */
  start(bytes: number, onEnd: () => void): Flow {
    this.#update();
    const flow: Flow = {
      finish: this.#given + (this.#bytesPerSecond === Infinity ? 0 : bytes),
      order: this.#order++,
      onEnd,
      isActive: true,
    };
    if (this.#bytesPerSecond === Infinity) this.bytes += bytes;
    this.#flows.push(flow);
    this.#activeCount++;
    this.#planNext();
    return flow;
  }

  /**
   * Stops a flow; it never ends.
   *
   * @param flow  A flow of this link.
   * @returns  Bytes that were not carried yet; 0 when it had ended.
   */
  stop(flow: Flow): number {
    if (!flow.isActive) return 0;
    this.#update();
    const left = Math.max(0, flow.finish - this.#given);
    flow.isActive = false;
    this.#activeCount--;
    this.#planNext();
    return left;
  }

  /** Brings the bytes given up to now. */
  #update(): void {
    const { now } = this.#timeline;
    const seconds = now - this.#updatedSeconds;
    this.#updatedSeconds = now;
    if (this.#activeCount === 0) {
      // A fresh start keeps the numbers small, hence exact.
      while (this.#flows.size > 0) this.#flows.pop();
      this.#given = 0;
    } else if (this.#bytesPerSecond < Infinity) {
      this.#given += (seconds * this.#bytesPerSecond) / this.#activeCount;
      this.bytes += seconds * this.#bytesPerSecond;
      this.busySeconds += seconds;
    }
  }

  #planNext(): void {
    const plan = ++this.#plan;
    let first = this.#flows.peek();
    while (first && !first.isActive) {
      this.#flows.pop();
      first = this.#flows.peek();
    }
    if (!first) return;
    const { finish } = first;
    const seconds = this.#bytesPerSecond === Infinity ? 0 : ((finish - this.#given) * this.#activeCount) / this.#bytesPerSecond;
    this.#timeline.after(Math.max(0, seconds), () => {
      if (plan === this.#plan) this.#endUpTo(finish);
    });
  }

  #endUpTo(finish: number): void {
    this.#update();
    // By rounding the bytes given may miss the very number that the time was computed for.
    this.#given = Math.max(this.#given, finish);
    const ended: Flow[] = [];
    for (let flow = this.#flows.peek(); flow && (!flow.isActive || flow.finish <= this.#given); flow = this.#flows.peek()) {
      this.#flows.pop();
      if (!flow.isActive) continue;
      flow.isActive = false;
      this.#activeCount--;
      ended.push(flow);
    }
    this.#planNext();
    for (const flow of ended) flow.onEnd();
  }
}
