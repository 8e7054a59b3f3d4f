import { randomBytes } from 'node:crypto';
import { SublaceError } from '@sublace/errors';
import { createReducerClient, type AttendingReducer, type ReducerClient, type ReducerSlot, type Security } from '@sublace/protocol';
import type { Logger } from '@sublace/telemetry';

/** A reducer that has a slot, for as long as it has it: who is lost and comes back is another holder. */
export interface SlotHolder {
  readonly slot: ReducerSlot;
  readonly reducerId: string;
  readonly address: string;
  readonly client: ReducerClient;
  /** Aborts when the slot is taken away. */
  readonly lost: AbortSignal;
  /** Jobs that it came with. */
  readonly jobIds: readonly string[];
  readonly attachedAtMs: number;
  /** Bytes of sums that it has, as it said last. */
  heldBytes: number;
}

/** What the slots work with. */
export interface ReducerSlotsOptions {
  /** Number of slots. */
  count: number;
  security: Security;
  /** A reducer that does not answer for so long is lost. */
  timeoutMs: number;
  logger: Logger;
  /** Told of every new holder. */
  onHolder: (holder: SlotHolder) => void;
}

/** Pings of a holder per {@link ReducerSlotsOptions.timeoutMs}. */
const PINGS_PER_TIMEOUT = 3;

/**
 * Who sums what: each slot has one reducer at a time, or none. A reducer that comes gets the slot that it had before if it is free, else any free one,
 * else it waits until one is.
 */
export class ReducerSlots {
  readonly #options: ReducerSlotsOptions;
  readonly #holders: (SlotHolder | undefined)[];
  readonly #lose = new Map<SlotHolder, (reason: string) => void>();
  /** The last assignment of each slot; unknown after a start of the coordinator. */
  readonly #assignments: (string | undefined)[];
  readonly #waiters = new Set<() => void>();

  /**
   * @param options  How many, and what else they need.
   */
  constructor(options: ReducerSlotsOptions) {
    this.#options = options;
    this.#holders = Array.from({ length: options.count }, () => undefined);
    this.#assignments = Array.from({ length: options.count }, () => undefined);
  }

  /** Number of slots. */
  get count(): number {
    return this.#holders.length;
  }

  /** The reducers that have a slot now. */
  get holders(): SlotHolder[] {
    return this.#holders.filter((holder) => holder !== undefined);
  }

  /**
   * Whether a holder still has its slot.
   *
   * @param holder  Any.
   * @returns  False when it was lost.
   */
  has(holder: SlotHolder): boolean {
    return this.#holders[holder.slot.slot] === holder;
  }

  /**
   * The presence of a reducer, until its stream ends or it does not answer any more.
   *
   * @param reducer  Who comes, and what slot it had.
   * @param signal  Its stream.
   * @yields Its slot, once it has one.
   */
  async *attend(reducer: AttendingReducer, signal: AbortSignal): AsyncGenerator<{ slot: ReducerSlot }> {
    const { reducerId, held } = reducer;
    // Its stream broke on its side and this one has not noticed yet.
    const earlier = this.holders.find((holder) => holder.reducerId === reducerId);
    if (earlier) this.#lose.get(earlier)?.('it came again');
    const isKnown = held?.slotCount === this.count && held.slot < this.count;
    const wanted = isKnown ? held.slot : undefined;
    let free = this.#freeSlot(wanted);
    while (free === undefined) {
      await this.#change(signal);
      if (signal.aborted) return;
      free = this.#freeSlot(wanted);
    }
    const last = this.#assignments[free];
    const isSame = isKnown && held.slot === free && (last === undefined || last === held.assignment) && held.assignment !== '';
    const assignment = isSame ? held.assignment : randomBytes(8).toString('hex');
    const lost = this.#give({ slot: free, slotCount: this.count, assignment }, reducer);
    const end = AbortSignal.any([signal, lost.signal]);
    const holder = this.#holders[free]!;
    try {
      yield { slot: holder.slot };
      this.#options.onHolder(holder);
      void this.#pingUntil(holder, end);
      if (!end.aborted) await new Promise((resolve) => end.addEventListener('abort', resolve, { once: true }));
    } finally {
      this.#lose.get(holder)?.('its connection broke');
    }
  }

  /**
   * The holder of a slot, as soon as there is one.
   *
   * @param slot  The slot.
   * @param signal  Gives up.
   * @returns  Its holder.
   * @throws SublaceError UNAVAILABLE when given up.
   */
  async holderOf(slot: number, signal: AbortSignal): Promise<SlotHolder> {
    for (;;) {
      const holder = this.#holders[slot];
      if (holder) return holder;
      if (signal.aborted) throw new SublaceError('UNAVAILABLE', `reducer ${slot} of ${this.count}: expected one, got none yet`);
      await this.#change(signal);
    }
  }

  /** Takes every slot away. */
  stop(): void {
    for (const lose of [...this.#lose.values()]) lose('the coordinator ends');
  }

  #freeSlot(wanted: number | undefined): number | undefined {
    if (wanted !== undefined && !this.#holders[wanted]) return wanted;
    const free = this.#holders.findIndex((holder) => holder === undefined);
    return free < 0 ? undefined : free;
  }

  #give(slot: ReducerSlot, { reducerId, address, jobIds }: AttendingReducer): AbortController {
    const { logger, security } = this.#options;
    const lost = new AbortController();
    const client = createReducerClient(address, security);
    const holder: SlotHolder = { slot, reducerId, address, client, lost: lost.signal, jobIds, attachedAtMs: Date.now(), heldBytes: 0 };
    const where = { slot: slot.slot, reducerId, address };
    this.#holders[slot.slot] = holder;
    this.#assignments[slot.slot] = slot.assignment;
    this.#lose.set(holder, (reason) => {
      this.#lose.delete(holder);
      if (this.has(holder)) this.#holders[slot.slot] = undefined;
      lost.abort();
      client.close();
      logger.warn(where, `reducer ${slot.slot} of ${slot.slotCount} is lost: ${reason}`);
      this.#changed();
    });
    logger.info(where, `reducer ${slot.slot} of ${slot.slotCount} is ${reducerId} at ${address}`);
    this.#changed();
    return lost;
  }

  async #pingUntil(holder: SlotHolder, end: AbortSignal): Promise<void> {
    const { timeoutMs } = this.#options;
    while (!end.aborted) {
      try {
        ({ heldBytes: holder.heldBytes } = await holder.client.ping(timeoutMs));
      } catch (error) {
        this.#lose.get(holder)?.(`it does not answer: ${SublaceError.from(error).message}`);
        return;
      }
      await pause(timeoutMs / PINGS_PER_TIMEOUT, end);
    }
  }

  #changed(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }

  /** Resolves when a slot was given or taken away, or the signal aborts. */
  async #change(signal: AbortSignal): Promise<void> {
    let wake = (): void => undefined;
    const changed = new Promise<void>((resolve) => (wake = resolve));
    this.#waiters.add(wake);
    signal.addEventListener('abort', wake, { once: true });
    if (!signal.aborted) await changed;
    signal.removeEventListener('abort', wake);
    this.#waiters.delete(wake);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
}
