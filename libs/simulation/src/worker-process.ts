import type { Lease, Phase } from '@sublace/scheduling';
import type { Claimant, CoordinatorModel, OfferWatch } from './coordinator-model.ts';
import type { CounterRandom } from './counter-random.ts';
import type { FairLink } from './fair-link.ts';
import type { SimulationOptions } from './options.ts';
import { stream } from './streams.ts';
import type { Activity, TimeLedger } from './time-ledger.ts';
import type { Timeline } from './timeline.ts';
import { Transfer, type Leg } from './transfer.ts';

/** What a worker works with. */
export interface World {
  readonly options: SimulationOptions;
  readonly timeline: Timeline;
  readonly random: CounterRandom;
  readonly ledger: TimeLedger;
  readonly coordinator: CoordinatorModel;
  /** Whether leases can expire, so that renewals matter. */
  readonly canLeasesExpire: boolean;
  /** Worker-seconds of computing that were thrown away, by phase. */
  readonly wastedSeconds: Map<Phase, number>;
}

/** Where a process runs: its index, links and speed outlive it. */
export interface Machine {
  readonly index: number;
  readonly incoming: FairLink;
  readonly outgoing: FairLink;
  /** How many times as long as an ordinary worker it takes. */
  readonly slowness: number;
}

/** A lease that a process has, and what it spent on it. */
interface Held {
  readonly lease: Lease;
  computedSeconds: number;
  /** The coordinator has said that somebody else has the shard. */
  isLost: boolean;
  isCommitted: boolean;
}

/**
 * A worker process, which does what the real one does: it asks for work, fetches inputs, computes, and offers the result, which is pulled while it
 * computes the next one; one result at a time waits.
 */
export class WorkerProcess implements Claimant {
  readonly workerId: string;
  silentSince: number | undefined;
  readonly #world: World;
  readonly #machine: Machine;
  readonly #held = new Set<Held>();
  readonly #transfers = new Set<Transfer>();
  /** What arrived, or was due, while it stood still. */
  readonly #deferred: (() => void)[] = [];
  readonly #keptInputs = new Set<Phase>();
  #isOpen = false;
  #isGone = false;
  #activity: Activity = 'idle';
  #computing: { held: Held; since: number; endsAt: number } | undefined;
  #offered: Held | undefined;
  /** Computed, and waits for {@link #offered}. */
  #blocked: Held | undefined;

  /**
   * Starts at once.
   *
   * @param world  What it works with.
   * @param machine  Where it runs.
   * @param incarnation  How many processes ran there before.
   */
  constructor(world: World, machine: Machine, incarnation: number) {
    this.#world = world;
    this.#machine = machine;
    this.workerId = `worker-${machine.index}.${incarnation}`;
    this.#claim();
  }

  /** Delivers a message. */
  readonly tell = (act: () => void): void => this.#world.timeline.after(this.#world.options.network.latencySeconds, () => this.#do(act));

  /** It stands still from now on. */
  pause(): void {
    const { timeline } = this.#world;
    if (this.#isGone || this.silentSince !== undefined) return;
    this.silentSince = timeline.now;
    for (const transfer of this.#transfers) transfer.suspend();
    this.#world.ledger.turnTo(this.#machine.index, 'away', timeline.now);
    this.#stopClock();
  }

  /** It goes on, and does not know that it was away. */
  resume(): void {
    const { timeline, ledger } = this.#world;
    if (this.#isGone || this.silentSince === undefined) return;
    const awaySeconds = timeline.now - this.silentSince;
    this.silentSince = undefined;
    ledger.turnTo(this.#machine.index, this.#activity, timeline.now);
    for (const transfer of [...this.#transfers]) transfer.resume();
    if (this.#computing) {
      this.#computing.since = timeline.now;
      this.#planEnd(this.#computing.endsAt + awaySeconds);
    }
    for (const act of this.#deferred.splice(0)) this.#do(act);
  }

  /** It is gone, with everything that it had. */
  die(): void {
    const { timeline, ledger, options, coordinator } = this.#world;
    if (this.silentSince === undefined) this.#stopClock();
    this.#isGone = true;
    this.silentSince ??= timeline.now;
    for (const transfer of this.#transfers) transfer.suspend();
    for (const held of this.#held) this.#waste(held);
    this.#held.clear();
    ledger.turnTo(this.#machine.index, 'away', timeline.now);
    if (options.losses.areNoticed) timeline.after(options.network.latencySeconds, () => coordinator.lose(this));
  }

  onForgotten(): void {
    if (!this.#isGone) this.#deferred.push(() => this.#claim());
  }

  onLease(lease: Lease): void {
    const held: Held = { lease, computedSeconds: 0, isLost: false, isCommitted: false };
    this.#held.add(held);
    if (this.#world.canLeasesExpire) this.#renewFromNowOn(held);
    this.#turnTo('fetch');
    this.#move(this.#inputsOf(lease.phase), () => this.#do(() => this.#compute(held)));
  }

  /** Sends something to the coordinator. */
  #send(act: () => void): void {
    this.#world.timeline.after(this.#world.options.network.latencySeconds, act);
  }

  #claim(): void {
    this.#turnTo('idle');
    // A call on a connection that broke is taken back; after a power cut nobody takes it back.
    this.#send(() => {
      if (!this.#isGone || !this.#world.options.losses.areNoticed) this.#world.coordinator.claim(this);
    });
  }

  #compute(held: Held): void {
    const { options, random, timeline } = this.#world;
    const { phase, shard, attempt } = held.lease;
    this.#keptInputs.add(phase);
    if (held.isLost) {
      this.#drop(held);
      this.#claim();
      return;
    }
    const { noise } = options;
    const factor = noise === 0 ? 1 : Math.exp(noise * random.normal(stream(`noise/${phase}`, shard), attempt) - noise ** 2 / 2);
    const opening = this.#isOpen ? 0 : options.openSeconds;
    this.#isOpen = true;
    this.#turnTo('compute');
    this.#computing = { held, since: timeline.now, endsAt: 0 };
    this.#planEnd(timeline.now + (options.tasks[phase].computeSeconds * factor + opening) * this.#machine.slowness);
  }

  #planEnd(endsAt: number): void {
    const computing = this.#computing!;
    computing.endsAt = endsAt;
    this.#world.timeline.at(endsAt, () => {
      // A pause since then moved the end.
      if (this.#computing !== computing || computing.endsAt !== endsAt || this.silentSince !== undefined) return;
      this.#stopClock();
      this.#computing = undefined;
      this.#computed(computing.held);
    });
  }

  /** Adds what was computed so far. */
  #stopClock(): void {
    if (this.#computing) this.#computing.held.computedSeconds += this.#world.timeline.now - this.#computing.since;
  }

  #computed(held: Held): void {
    if (held.isLost) this.#drop(held);
    else if (this.#offered) {
      this.#blocked = held;
      this.#turnTo('blocked');
      return;
    } else this.#offer(held);
    this.#claim();
  }

  #offer(held: Held): void {
    const { coordinator } = this.#world;
    this.#offered = held;
    const watch: OfferWatch = {
      started: (transfer) => {
        this.#transfers.add(transfer);
        if (this.silentSince !== undefined) transfer.suspend();
      },
      over: (transfer) => void this.#transfers.delete(transfer),
      committed: () => (held.isCommitted = true),
    };
    const onEnd = (isCommitted: boolean): void => {
      if (isCommitted) this.#held.delete(held);
      else this.#drop(held);
      this.#offered = undefined;
      const blocked = this.#blocked;
      this.#blocked = undefined;
      if (blocked) this.#computed(blocked);
    };
    this.#send(() => {
      // The coordinator pulls: from a process that is gone or stands still nothing comes, and no call either.
      if (!this.#isGone) coordinator.offer(this, held.lease, this.#machine.outgoing, watch, onEnd);
    });
  }

  #drop(held: Held): void {
    this.#waste(held);
    this.#held.delete(held);
  }

  #waste({ lease: { phase }, computedSeconds, isCommitted }: Held): void {
    if (isCommitted) return;
    const { wastedSeconds } = this.#world;
    wastedSeconds.set(phase, (wastedSeconds.get(phase) ?? 0) + computedSeconds);
  }

  #inputsOf(phase: Phase): Leg[] {
    const { options, coordinator } = this.#world;
    const { inputBytes, keptInputBytes } = options.tasks[phase];
    const bytes = inputBytes + (this.#keptInputs.has(phase) ? 0 : keptInputBytes);
    const receiving = { link: this.#machine.incoming, bytes };
    if (phase !== 'finalise' || coordinator.reducers.length === 0) return [receiving, { link: coordinator.outgoing, bytes }];
    return [
      receiving,
      ...coordinator.reducers.map(({ outgoing }, slot) => ({ link: outgoing, bytes: bytes * options.reducerShares[slot] })),
    ];
  }

  #move(legs: readonly Leg[], onEnd: () => void): void {
    const transfer = new Transfer(legs);
    this.#transfers.add(transfer);
    transfer.start(() => {
      this.#transfers.delete(transfer);
      onEnd();
    });
  }

  /** Three times per lease, as the real worker does. */
  #renewFromNowOn(held: Held): void {
    const { options, timeline, coordinator } = this.#world;
    const renew = (): void => {
      if (!this.#held.has(held) || held.isLost) return;
      this.#send(() => coordinator.renew(this, held.lease, () => (held.isLost = true)));
      timeline.after(options.leaseSeconds / 3, () => this.#do(renew));
    };
    timeline.after(options.leaseSeconds / 3, () => this.#do(renew));
  }

  #turnTo(activity: Activity): void {
    this.#activity = activity;
    this.#world.ledger.turnTo(this.#machine.index, activity, this.#world.timeline.now);
  }

  /** Acts now; later when it stands still; never when it is gone. */
  #do(act: () => void): void {
    if (this.#isGone) return;
    if (this.silentSince === undefined) act();
    else this.#deferred.push(act);
  }
}
