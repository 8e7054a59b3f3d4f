import { SublaceError } from '@sublace/errors';
import type { JobStore, JobView } from '@sublace/job-store';
import type { ShardToReduce, TaskInputs, WorkerOverview } from '@sublace/protocol';
import { slotOfBlock, UnusableShard, type OfferedShard, type PullReport } from '@sublace/reduction';
import { isFinal, type LeaseRef } from '@sublace/scheduling';
import type { Logger } from '@sublace/telemetry';
import { ReducerSlots, type ReducerSlotsOptions, type SlotHolder } from './reducer-slots.ts';
import { doneShards, shardCountOf } from './shards-of-job.ts';

/** A job at one holder of a slot. */
interface OpenedJob {
  /** Shards whose tiles it has, all of its own. */
  whole: Set<number>;
  /** Its own tiles; none until the first shard. */
  names: string[];
}

/** What the fleet works with. */
export interface ReducerFleetOptions extends Omit<ReducerSlotsOptions, 'onHolder'> {
  store: JobStore;
  logger: Logger;
  /** Adds a warning to the log of a job. */
  warn: (jobId: string, message: string) => void;
}

/** A finalise task's view of the sums: where they are, or that they are not whole. */
export interface FinishedSums {
  inputs: Required<TaskInputs>[];
  /** Addresses of the reducers by slot. */
  reducers: string[];
}

/**
 * The reducers of a cluster as the coordinator uses them: each shard of phase accumulate goes to all of them at once, and counts when each has its tiles.
 * What one of them has lost, by being replaced by another that knows only its checkpoint, is computed again.
 */
export class ReducerFleet {
  readonly #options: ReducerFleetOptions;
  readonly #slots: ReducerSlots;
  readonly #opened = new WeakMap<SlotHolder, Map<string, Promise<OpenedJob>>>();

  /**
   * @param options  How many reducers, and what else is needed.
   */
  constructor(options: ReducerFleetOptions) {
    this.#options = options;
    this.#slots = new ReducerSlots({ ...options, onHolder: (holder) => void this.#welcome(holder) });
  }

  /** Who has which slot. */
  get slots(): ReducerSlots {
    return this.#slots;
  }

  /**
   * How many reducers there should be, and how many there are.
   *
   * @returns  Both counts.
   */
  counts(): { wanted: number; attached: number } {
    return { wanted: this.#slots.count, attached: this.#slots.holders.length };
  }

  /**
   * The reducers that are attached.
   *
   * @returns  By slot.
   */
  overview(): WorkerOverview[] {
    return this.#slots.holders.map(({ reducerId, address, attachedAtMs, slot, heldBytes }) => {
      return { workerId: reducerId, role: 'reducer', peer: address, attachedAtMs, shards: [], slot: slot.slot, heldBytes };
    });
  }

  /**
   * Waits until every slot has its reducer.
   *
   * @param signal  Gives up.
   * @throws SublaceError UNAVAILABLE when given up.
   */
  async present(signal: AbortSignal): Promise<void> {
    while (this.#slots.holders.length < this.#slots.count) {
      for (let slot = 0; slot < this.#slots.count; slot++) await this.#slots.holderOf(slot, signal);
    }
  }

  /**
   * Has every reducer pull its tiles of a shard; waits for those that are missing.
   *
   * @param offer  Where the tiles are; with its basis.
   * @param signal  Gives up.
   * @param onWaiting  Told which slots are not done yet, whenever one is.
   * @returns  What all of them pulled together. At that instant each of them still had its slot.
   * @throws UnusableShard when a tile cannot be summed, SublaceError UNAVAILABLE when a reducer was lost meanwhile.
   */
  async reduce(offer: OfferedShard, signal: AbortSignal, onWaiting: (slots: number[]) => void = () => undefined): Promise<PullReport> {
    const { lease, blocksAddress, names, basis } = offer;
    if (!basis) throw new SublaceError('INTERNAL', `${lease.phase} shard ${lease.shard}: expected a selection, got none`);
    const shard = { lease, blocksAddress, names, maxDiagonal: basis.maxDiagonal, selectionDigest: basis.digest };
    const waiting = new Set(Array.from({ length: this.#slots.count }, (_, slot) => slot));
    const outcomes = await Promise.allSettled(
      Array.from(waiting, async (slot) => {
        const holder = await this.#slots.holderOf(slot, signal);
        const report = await this.#reduceAt(holder, shard, signal);
        waiting.delete(slot);
        if (waiting.size > 0) onWaiting([...waiting]);
        return { holder, ...report };
      }),
    );
    const sum: PullReport = { pulledCount: 0, pulledBytes: 0, reduceSeconds: 0 };
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw outcome.reason;
      const { holder, pulledCount, pulledBytes, reduceSeconds } = outcome.value;
      if (!this.#slots.has(holder)) throw this.#lost(holder);
      sum.pulledCount += pulledCount;
      sum.pulledBytes += pulledBytes;
      sum.reduceSeconds += reduceSeconds;
    }
    return sum;
  }

  /**
   * Where the finished sums of a job are. When a reducer lacks a shard of them, that shard is computed again.
   *
   * @param job  A job in phase finalise.
   * @param signal  Gives up waiting for reducers that are missing.
   * @returns  Undefined when they are not whole, or nobody has them now.
   */
  async finishedSums(job: JobView, signal: AbortSignal): Promise<FinishedSums | undefined> {
    const { jobId } = job;
    try {
      const holders = await Promise.all(Array.from({ length: this.#slots.count }, (_, slot) => this.#slots.holderOf(slot, signal)));
      const opened = await Promise.all(holders.map((holder) => this.#open(holder, jobId)));
      const missing = doneShards(job, 'accumulate').filter((shard) => opened.some(({ whole }) => !whole.has(shard)));
      if (missing.length > 0) {
        await this.#again(jobId, missing, 'the reducers');
        return undefined;
      }
      const inputs = holders.map(({ address }, slot) => ({ address, names: opened[slot].names })).filter(({ names }) => names.length > 0);
      return { inputs, reducers: holders.map(({ address }) => address) };
    } catch (error) {
      if (SublaceError.from(error).isRetryable) return undefined;
      throw error;
    }
  }

  /**
   * Makes sure that the holder of a lease may have the sums of a reducer now.
   *
   * @param lease  The lease.
   * @param reducerId  The reducer that asks.
   * @throws SublaceError FENCED when the lease is not current, the reducer has lost its slot, or its sums are not whole.
   */
  async check(lease: LeaseRef, reducerId: string): Promise<void> {
    const { store } = this.#options;
    const where = `sums for ${lease.phase} shard ${lease.shard}`;
    if (lease.phase !== 'finalise' || !(await store.findLease(lease)))
      throw new SublaceError('FENCED', `${where}: expected a current lease of phase finalise`);
    const holder = this.#slots.holders.find((each) => each.reducerId === reducerId);
    const opened = holder && (await this.#opened.get(holder)?.get(lease.jobId));
    const job = await store.getJob(lease.jobId);
    if (!holder || !opened || opened.whole.size < shardCountOf(job) || !this.#slots.has(holder))
      throw new SublaceError('FENCED', `${where}: expected a reducer with a slot and every shard, got ${reducerId}`);
  }

  /**
   * Has every reducer write its checkpoint of a job; what goes wrong is told.
   *
   * @param jobId  The job.
   */
  async checkpoint(jobId: string): Promise<void> {
    await Promise.all(
      this.#slots.holders.map(({ client, slot }) =>
        client.writeCheckpoint(jobId).catch((error: unknown) => {
          const { message } = SublaceError.from(error);
          this.#options.logger.warn({ jobId, slot: slot.slot }, `reducer ${slot.slot} did not write its checkpoint: ${message}`);
        }),
      ),
    );
  }

  /**
   * Tells every reducer that a job is over.
   *
   * @param jobId  The job.
   */
  async close(jobId: string): Promise<void> {
    await Promise.all(
      this.#slots.holders.map(async (holder) => {
        this.#opened.get(holder)?.delete(jobId);
        await holder.client.closeJob(jobId).catch(() => undefined);
      }),
    );
  }

  /** Takes every slot away. */
  stop(): void {
    this.#slots.stop();
  }

  /** Has a new holder open what runs, so that what is lost is computed again before anybody needs it; and close what is over. */
  async #welcome(holder: SlotHolder): Promise<void> {
    const { store, logger } = this.#options;
    try {
      const jobs = await store.listJobs();
      const open = new Set(jobs.filter((job) => !isFinal(job.state)).map(({ jobId }) => jobId));
      await Promise.all(holder.jobIds.filter((jobId) => !open.has(jobId)).map((jobId) => holder.client.closeJob(jobId)));
      const summing = jobs.filter((job) => !isFinal(job.state) && (job.phase === 'accumulate' || job.phase === 'finalise'));
      for (const { jobId } of summing) await this.#open(holder, jobId);
    } catch (error) {
      const { message } = SublaceError.from(error);
      if (this.#slots.has(holder)) logger.warn({ slot: holder.slot.slot }, `reducer ${holder.slot.slot} did not open its jobs: ${message}`);
    }
  }

  async #reduceAt(holder: SlotHolder, shard: ShardToReduce, signal: AbortSignal): Promise<PullReport> {
    const { lease, names } = shard;
    const opened = await this.#open(holder, lease.jobId);
    const report = await this.#orLost(holder, () => holder.client.reduceShard(shard, AbortSignal.any([signal, holder.lost])));
    if (report.unusable) throw new UnusableShard(report.unusable.code, report.unusable.message);
    opened.whole.add(lease.shard);
    if (opened.names.length === 0) opened.names = names.filter((name) => slotOfBlock(name, this.#slots.count) === holder.slot.slot);
    return report;
  }

  /** Opens a job at a holder, once, and has computed again what the holder lacks. */
  #open(holder: SlotHolder, jobId: string): Promise<OpenedJob> {
    const jobs = this.#opened.get(holder) ?? new Map<string, Promise<OpenedJob>>();
    this.#opened.set(holder, jobs);
    const known = jobs.get(jobId);
    if (known) return known;
    const opening = this.#openNow(holder, jobId);
    jobs.set(jobId, opening);
    opening.catch(() => jobs.delete(jobId));
    return opening;
  }

  async #openNow(holder: SlotHolder, jobId: string): Promise<OpenedJob> {
    const { store } = this.#options;
    const { slot } = holder;
    const shardCount = shardCountOf(await store.getJob(jobId));
    const { shards, names } = await this.#orLost(holder, () => holder.client.openJob(jobId, slot, shardCount, holder.lost));
    const whole = new Set(shards);
    const missing = doneShards(await store.getJob(jobId), 'accumulate').filter((shard) => !whole.has(shard));
    if (missing.length > 0) await this.#again(jobId, missing, `reducer ${slot.slot} of ${slot.slotCount}`);
    return { whole, names };
  }

  async #again(jobId: string, shards: number[], who: string): Promise<void> {
    const { store, logger, warn } = this.#options;
    const message = `${who} lost ${shards.length} ${shards.length === 1 ? 'shard' : 'shards'} that was summed; computing again`;
    logger.warn({ jobId, shards }, message);
    warn(jobId, message);
    await store.restartPhase(jobId, 'accumulate', shards);
  }

  /** A call that was cut because its reducer is gone, or about to go, is worth another attempt. */
  async #orLost<T>(holder: SlotHolder, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (holder.lost.aborted || SublaceError.from(error).code === 'CANCELLED') throw this.#lost(holder, error);
      throw error;
    }
  }

  #lost({ slot }: SlotHolder, cause?: unknown): SublaceError {
    return new SublaceError('UNAVAILABLE', `reducer ${slot.slot} of ${slot.slotCount}: expected it to stay, it was lost`, { cause });
  }
}
