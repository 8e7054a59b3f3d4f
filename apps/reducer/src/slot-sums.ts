import type { ObjectStore } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import type { ReducerSlot } from '@sublace/protocol';
import { slotOfBlock, SumsOfJobs, type CheckpointNote, type JobSums } from '@sublace/reduction';

/** Where and how often the sums are saved. */
export interface SlotSumsOptions {
  checkpoints: ObjectStore | undefined;
  intervalMs: number;
  onNote: (note: CheckpointNote) => void;
}

/** The slot that this process has, and the sums of every job that belong to it. */
export class SlotSums {
  readonly #options: SlotSumsOptions;
  #slot: ReducerSlot | undefined;
  #jobs: SumsOfJobs | undefined;

  /**
   * @param options  Where and how often the sums are saved.
   */
  constructor(options: SlotSumsOptions) {
    this.#options = options;
  }

  /** The slot, once there is one. */
  get slot(): ReducerSlot | undefined {
    return this.#slot;
  }

  /** Jobs that there are sums of. */
  get jobIds(): string[] {
    return this.#jobs?.jobIds ?? [];
  }

  /** Bytes of the sums of all jobs. */
  get heldBytes(): number {
    return this.#jobs?.heldBytes ?? 0;
  }

  /**
   * Takes a slot. With the assignment that it has already nothing changes; under another one somebody else may have gone on from the checkpoint, so
   * what is in memory is dropped.
   *
   * @param slot  The slot.
   */
  take(slot: ReducerSlot): void {
    if (this.#slot?.assignment === slot.assignment) return;
    this.#jobs?.stop();
    this.#slot = slot;
    this.#jobs = new SumsOfJobs({ ...this.#options, holder: `reducer-${slot.slot}-of-${slot.slotCount}` });
  }

  /**
   * Opens a job, from its checkpoint where there is one.
   *
   * @param jobId  The job.
   * @returns  Its sums.
   */
  async open(jobId: string): Promise<JobSums> {
    return this.#ofSlot().restore(jobId);
  }

  /**
   * The sums of a job that is open.
   *
   * @param jobId  The job.
   * @returns  Its sums.
   * @throws SublaceError UNAVAILABLE when it is not open: it can be opened.
   */
  of(jobId: string): JobSums {
    const sums = this.#jobs?.find(jobId);
    if (!sums) throw new SublaceError('UNAVAILABLE', `job ${jobId}: expected to be open at this reducer, is not`);
    return sums;
  }

  /**
   * The blocks that are summed here.
   *
   * @param names  Blocks of a shard.
   * @returns  Those of this slot.
   * @throws SublaceError INVALID_ARGUMENT for what is no tile.
   */
  ownOf(names: readonly string[]): string[] {
    const slot = this.#slot;
    return slot ? names.filter((name) => slotOfBlock(name, slot.slotCount) === slot.slot) : [];
  }

  /**
   * Writes the checkpoint of a job.
   *
   * @param jobId  The job.
   * @returns  Bytes that were written.
   */
  async checkpoint(jobId: string): Promise<number> {
    return (await this.#jobs?.checkpoint(jobId)) ?? 0;
  }

  /** Writes the checkpoints of all jobs. */
  async checkpointAll(): Promise<void> {
    await this.#jobs?.checkpointAll();
  }

  /**
   * Forgets a job that is over, with its checkpoint.
   *
   * @param jobId  The job.
   */
  async close(jobId: string): Promise<void> {
    await this.#jobs?.close(jobId, 'own');
  }

  /** Ends the timer; checkpoints stay. */
  stop(): void {
    this.#jobs?.stop();
  }

  #ofSlot(): SumsOfJobs {
    if (!this.#jobs) throw new SublaceError('UNAVAILABLE', 'reducer: expected to have a slot, has none yet');
    return this.#jobs;
  }
}
