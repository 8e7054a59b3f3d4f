import {
  emptyState,
  isFinal,
  step,
  type Change,
  type Effect,
  type JobState,
  type Lease,
  type LeaseRef,
  type Reply,
  type SchedulerState,
  type SchedulingEvent,
} from '@sublace/scheduling';
import { FairLink } from './fair-link.ts';
import type { SimulationOptions } from './options.ts';
import type { TimeLedger } from './time-ledger.ts';
import type { Timeline } from './timeline.ts';
import { Transfer, type Leg } from './transfer.ts';

/** Longest time that a request for work waits at the coordinator before its worker asks again. */
const CLAIM_WAIT_SECONDS = 20;
/** How often the coordinator looks for leases that have expired, as the real one does. */
const EXPIRY_CHECK_SECONDS_MAX = 1;

const JOB_ID = 'job';

/** A worker as the coordinator sees it. */
export interface Claimant {
  /** Differs for every process. */
  readonly workerId: string;
  /** Since when it has not answered; undefined while it does. */
  silentSince: number | undefined;
  /** Delivers a message after the latency, if the process is still there. */
  readonly tell: (act: () => void) => void;
  readonly onLease: (lease: Lease) => void;
  /** Its request for work was forgotten. */
  readonly onForgotten: () => void;
}

/** Follows an offer at the very moment, not when messages arrive. */
export interface OfferWatch {
  /** Its transfer is about to start; it is suspended while the worker is silent. */
  readonly started: (transfer: Transfer) => void;
  readonly over: (transfer: Transfer) => void;
  readonly committed: () => void;
}

/** What happened to leases. */
export interface LeaseCounts {
  /** Leases that were given out. */
  leases: number;
  /** Leases that expired. */
  expired: number;
  /** Leases that ended with the connection of a worker. */
  lostWithWorker: number;
  /** Messages of workers that no longer had the lease they spoke of. */
  fenced: number;
  /** Most leases of one shard. */
  attemptsMax: number;
}

/** The coordinator and its reducers: the scheduling core itself, on virtual time, with links and a processor that serves one request at a time. */
export class CoordinatorModel {
  readonly incoming: FairLink;
  readonly outgoing: FairLink;
  readonly reducers: { incoming: FairLink; outgoing: FairLink }[];
  readonly counts: LeaseCounts = { leases: 0, expired: 0, lostWithWorker: 0, fenced: 0, attemptsMax: 0 };
  /** Times that each shard was committed, by phase and shard. Kept beside the core, so that it can be found wrong. */
  readonly commits = new Map<string, number>();
  /** Sum over shards: from the arrival of the offer to the last byte, by phase. */
  readonly transferSeconds = new Map<string, number>();
  readonly #options: SimulationOptions;
  readonly #timeline: Timeline;
  readonly #ledger: TimeLedger;
  #state: SchedulerState;
  #waiting: Claimant[] = [];
  #freeAt = 0;

  /**
   * @param options  Complete options.
   * @param timeline  The time.
   * @param ledger  Is told when a stage begins.
   */
  constructor(options: SimulationOptions, timeline: Timeline, ledger: TimeLedger) {
    const { network, leaseSeconds, attemptsMax } = options;
    this.#options = options;
    this.#timeline = timeline;
    this.#ledger = ledger;
    this.#state = emptyState({ leaseDurationMs: leaseSeconds * 1000, attemptsMax });
    this.incoming = new FairLink(timeline, network.coordinatorBytesPerSecond);
    this.outgoing = new FairLink(timeline, network.coordinatorBytesPerSecond);
    this.reducers = options.reducerShares.map(() => ({
      incoming: new FairLink(timeline, network.reducerBytesPerSecond),
      outgoing: new FairLink(timeline, network.reducerBytesPerSecond),
    }));
  }

  /** State of the fit. */
  get jobState(): JobState {
    return this.#state.jobs.get(JOB_ID)!.state;
  }

  /** Why the fit failed, if it did. */
  get failure(): string | undefined {
    return this.#state.jobs.get(JOB_ID)!.failure?.message;
  }

  /** Leases that are held. */
  get leaseCount(): number {
    return this.#state.leases.size;
  }

  /** Whether the fit has ended. */
  get isOver(): boolean {
    return isFinal(this.jobState);
  }

  /**
   * Takes the fit, and looks for expired leases from now on.
   *
   * @param canLeasesExpire  False spares the looking when nothing can die or stand still.
   */
  submit(canLeasesExpire: boolean): void {
    this.#dispatch({ type: 'submitJob', jobId: JOB_ID, spec: {}, priority: 0 });
    const period = Math.min(EXPIRY_CHECK_SECONDS_MAX, this.#options.leaseSeconds / 4);
    const look = (): void => {
      if (this.isOver) return;
      this.#dispatch({ type: 'requeueExpired' });
      this.#timeline.after(period, look);
    };
    if (canLeasesExpire) this.#timeline.after(period, look);
  }

  /**
   * A worker asks for work, and waits when there is none.
   *
   * @param claimant  The worker.
   */
  claim(claimant: Claimant): void {
    this.#serve(() => {
      if (!this.#lease(claimant, this.#timeline.now)) this.#waiting.push(claimant);
    });
  }

  /**
   * A worker says that it is still at work.
   *
   * @param claimant  The worker.
   * @param ref  Its lease.
   * @param onFenced  Called, at the worker, when somebody else has the shard.
   */
  renew(claimant: Claimant, ref: LeaseRef, onFenced: () => void): void {
    this.#serve(() => {
      if (this.#dispatch({ type: 'renewLease', ref }).type !== 'renewed') this.#fence(claimant, onFenced);
    });
  }

  /**
   * A worker offers a result: it is pulled, then committed.
   *
   * @param claimant  The worker.
   * @param ref  Its lease.
   * @param sender  The worker's link.
   * @param watch  The worker's side of it.
   * @param onEnd  Called, at the worker, when the result is committed or refused.
   */
  offer(claimant: Claimant, ref: LeaseRef, sender: FairLink, watch: OfferWatch, onEnd: (isCommitted: boolean) => void): void {
    this.#serve(() => {
      const reply = this.#dispatch({ type: 'offerTiles', ref });
      if (reply.type !== 'renewed') {
        this.#fence(claimant, () => onEnd(false));
        return;
      }
      const { phase } = ref;
      const startSeconds = this.#timeline.now;
      const legs = [{ link: sender, bytes: this.#options.tasks[phase].outputBytes }, ...this.#receiving(ref)];
      const transfer = new Transfer(legs);
      watch.started(transfer);
      transfer.start(() => {
        watch.over(transfer);
        this.transferSeconds.set(phase, (this.transferSeconds.get(phase) ?? 0) + this.#timeline.now - startSeconds);
        this.#complete(claimant, ref, watch, onEnd);
      });
    });
  }

  /**
   * The connection of a worker broke.
   *
   * @param claimant  The worker.
   */
  lose(claimant: Claimant): void {
    const { workerId } = claimant;
    this.#serve(() => {
      this.#waiting = this.#waiting.filter((other) => other !== claimant);
      this.#dispatch({ type: 'releaseWorker', workerId, reason: `the connection of worker ${workerId} broke` });
    });
  }

  /** Links that a result of a shard arrives by. Score sums and everything of single tasks stay with the coordinator. */
  #receiving({ phase }: LeaseRef): Leg[] {
    const { outputBytes } = this.#options.tasks[phase];
    if (phase !== 'accumulate' || this.reducers.length === 0) return [{ link: this.incoming, bytes: outputBytes }];
    return this.reducers.map(({ incoming }, slot) => ({ link: incoming, bytes: outputBytes * this.#options.reducerShares[slot] }));
  }

  #complete(claimant: Claimant, ref: LeaseRef, watch: OfferWatch, onEnd: (isCommitted: boolean) => void): void {
    this.#serve(() => {
      const summary = ref.phase === 'plan' ? { shards: Array.from({ length: this.#options.shardCount }, () => 0) } : {};
      const reply = this.#dispatch({ type: 'completeShard', ref, summary });
      if (reply.type === 'accepted') {
        const key = `${ref.phase}/${ref.shard}`;
        this.commits.set(key, (this.commits.get(key) ?? 0) + 1);
        watch.committed();
        claimant.tell(() => onEnd(true));
      } else this.#fence(claimant, () => onEnd(false));
    });
  }

  #fence(claimant: Claimant, act: () => void): void {
    this.counts.fenced++;
    claimant.tell(act);
  }

  /** Runs a request when the processor is free. Nothing more happens once the fit has ended. */
  #serve(handle: () => void): void {
    this.#timeline.at(this.#charge(), () => {
      if (!this.isOver) handle();
    });
  }

  /** Takes the processor for one request. Returns when that is done. */
  #charge(): number {
    this.#freeAt = this.#nextFree();
    return this.#freeAt;
  }

  /** When one more request would be done. */
  #nextFree(): number {
    return Math.max(this.#freeAt, this.#timeline.now) + this.#options.controlSeconds;
  }

  /** Leases a shard, if one is pending; the answer leaves at the time that is given. */
  #lease(claimant: Claimant, answerAt: number): boolean {
    const reply = this.#dispatch({ type: 'claimShard', workerId: claimant.workerId });
    if (reply.type !== 'leased') return false;
    this.counts.leases++;
    this.counts.attemptsMax = Math.max(this.counts.attemptsMax, reply.lease.attempt);
    this.#timeline.at(answerAt, () => claimant.tell(() => claimant.onLease(reply.lease)));
    return true;
  }

  #dispatch(event: SchedulingEvent): Reply {
    const { state, effects } = step(this.#state, event, this.#timeline.now * 1000);
    this.#state = state;
    const [reply, ...changes] = effects as [Reply, ...Change[]];
    let isWorkPending = false;
    for (const change of changes) isWorkPending = this.#apply(change) || isWorkPending;
    const lost = changes.filter((change) => change.type === 'shardChanged').length;
    if (event.type === 'requeueExpired') this.counts.expired += lost;
    else if (event.type === 'releaseWorker') this.counts.lostWithWorker += lost;
    if (isWorkPending) this.#timeline.at(this.#timeline.now, () => this.#wake());
    return reply;
  }

  /** Takes a change. Returns whether shards may be pending that were not. */
  #apply(change: Extract<Effect, Change>): boolean {
    const { now } = this.#timeline;
    if (change.type === 'phaseStarted') {
      this.#ledger.begin(change.phase, now);
      return true;
    }
    if (change.type === 'jobFinalised') {
      this.#ledger.begin('publish', now);
      this.#timeline.after(this.#options.publishSeconds, () => this.#dispatch({ type: 'publishJob', jobId: JOB_ID }));
    } else if (change.type === 'jobChanged' && isFinal(change.state)) this.#ledger.begin(this.#ledger.stage, now);
    return change.type === 'shardChanged' && change.state === 'pending';
  }

  /** Serves those who wait, in the order in which they came, until nothing is pending. */
  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [index, claimant] of waiting.entries()) {
      const { silentSince } = claimant;
      if (silentSince !== undefined && this.#timeline.now - silentSince > CLAIM_WAIT_SECONDS) {
        claimant.onForgotten();
        continue;
      }
      if (this.#lease(claimant, this.#nextFree())) {
        this.#charge();
        continue;
      }
      this.#waiting = waiting.slice(index);
      return;
    }
  }
}
