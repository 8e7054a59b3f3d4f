import type { ObjectStore } from '@sublace/artifact-store';
import { SublaceError } from '@sublace/errors';
import { Checkpoint, removeObjects } from './checkpoint.ts';
import { JobSums } from './job-sums.ts';

/** How the sums of jobs are kept. */
export interface SumsOfJobsOptions {
  /** Where checkpoints go; without it the sums are gone with this process. */
  checkpoints?: ObjectStore | undefined;
  /** Whose sums these are: `coordinator`, `reducer-0-of-4`. */
  holder: string;
  /** Time from one checkpoint to the next. */
  intervalMs: number;
  /** Told when a checkpoint was written, restored, or could not be. */
  onNote: (note: CheckpointNote) => void;
}

/** What happened to a checkpoint. */
export interface CheckpointNote {
  jobId: string;
  what: 'written' | 'restored' | 'refused' | 'failed';
  bytes: number;
  seconds: number;
  error?: SublaceError;
}

interface OpenJob {
  sums: JobSums;
  checkpoint: Checkpoint | undefined;
  /** The checkpoint that is being written. */
  writing: Promise<number> | undefined;
}

/** The sums of every open job, with their checkpoints. */
export class SumsOfJobs {
  readonly #options: SumsOfJobsOptions;
  readonly #jobs = new Map<string, OpenJob>();
  readonly #restoring = new Map<string, Promise<JobSums>>();
  readonly #timer: NodeJS.Timeout | undefined;

  /**
   * @param options  Place, holder, interval.
   */
  constructor(options: SumsOfJobsOptions) {
    this.#options = options;
    if (options.checkpoints) this.#timer = setInterval(() => void this.checkpointAll(), options.intervalMs).unref();
  }

  /** Ids of the jobs that are open. */
  get jobIds(): string[] {
    return [...this.#jobs.keys()];
  }

  /** Bytes of the sums of all jobs. */
  get heldBytes(): number {
    let bytes = 0;
    for (const { sums } of this.#jobs.values()) bytes += sums.heldBytes;
    return bytes;
  }

  /**
   * The sums of a job that is open.
   *
   * @param jobId  The job.
   * @returns  Its sums, undefined when it is not open.
   */
  find(jobId: string): JobSums | undefined {
    return this.#jobs.get(jobId)?.sums;
  }

  /**
   * The sums of a job; one that is not open yet starts with none, whatever checkpoint there may be.
   *
   * @param jobId  The job.
   * @returns  Its sums.
   */
  open(jobId: string): JobSums {
    return this.find(jobId) ?? this.#add(jobId, new JobSums(), this.#checkpointOf(jobId));
  }

  /**
   * The sums of a job; one that is not open yet starts from its checkpoint. A damaged checkpoint is told, removed, and counts as none.
   *
   * @param jobId  The job.
   * @returns  Its sums.
   * @throws SublaceError when the checkpoints cannot be reached.
   */
  async restore(jobId: string): Promise<JobSums> {
    const known = this.find(jobId) ?? this.#restoring.get(jobId);
    if (known) return known;
    const restoring = this.#restore(jobId).finally(() => this.#restoring.delete(jobId));
    this.#restoring.set(jobId, restoring);
    return restoring;
  }

  /**
   * Writes the checkpoint of a job, after one that is being written.
   *
   * @param jobId  The job; nothing happens when it is not open, or there is no place for checkpoints.
   * @returns  Bytes that were written.
   * @throws SublaceError when it could not be; CONFLICT when another process has this one's place.
   */
  async checkpoint(jobId: string): Promise<number> {
    const job = this.#jobs.get(jobId);
    if (!job?.checkpoint) return 0;
    await job.writing?.catch(() => undefined);
    if (this.#jobs.get(jobId) !== job) return 0;
    return (job.writing ??= this.#write(jobId, job, job.checkpoint).finally(() => (job.writing = undefined)));
  }

  /** Writes the checkpoints of all jobs; what goes wrong is told. */
  async checkpointAll(): Promise<void> {
    for (const jobId of this.jobIds) await this.checkpoint(jobId).catch(() => undefined);
  }

  /**
   * Forgets a job that is over, and removes its checkpoint.
   *
   * @param jobId  The job.
   * @param what  `own`: this holder's checkpoint; `all`: those of every holder of the job.
   */
  async close(jobId: string, what: 'own' | 'all'): Promise<void> {
    const job = this.#jobs.get(jobId);
    this.#jobs.delete(jobId);
    await job?.writing?.catch(() => undefined);
    const { checkpoints } = this.#options;
    if (what === 'all' && checkpoints) await removeObjects(checkpoints, `${jobId}/`);
    else await (job?.checkpoint ?? this.#checkpointOf(jobId))?.remove();
  }

  /** Ends the timer and forgets every job; checkpoints stay. */
  stop(): void {
    clearInterval(this.#timer);
    this.#jobs.clear();
  }

  #checkpointOf(jobId: string): Checkpoint | undefined {
    const { checkpoints, holder } = this.#options;
    return checkpoints && new Checkpoint(checkpoints, jobId, holder);
  }

  #add(jobId: string, sums: JobSums, checkpoint: Checkpoint | undefined): JobSums {
    this.#jobs.set(jobId, { sums, checkpoint, writing: undefined });
    return sums;
  }

  async #restore(jobId: string): Promise<JobSums> {
    const startMs = performance.now();
    const checkpoint = this.#checkpointOf(jobId);
    let sums: JobSums | undefined;
    try {
      sums = await checkpoint?.restore();
      if (sums) this.#note(jobId, 'restored', startMs, sums.heldBytes);
    } catch (thrown) {
      const error = SublaceError.from(thrown);
      if (error.code !== 'DIGEST_MISMATCH') throw error;
      this.#note(jobId, 'refused', startMs, 0, error);
      await checkpoint?.remove();
    }
    return this.#add(jobId, sums ?? new JobSums(), checkpoint);
  }

  async #write(jobId: string, job: OpenJob, checkpoint: Checkpoint): Promise<number> {
    const startMs = performance.now();
    try {
      const bytes = await checkpoint.write(job.sums);
      if (bytes > 0) this.#note(jobId, 'written', startMs, bytes);
      return bytes;
    } catch (thrown) {
      const error = SublaceError.from(thrown);
      this.#note(jobId, 'failed', startMs, 0, error);
      throw error;
    }
  }

  #note(jobId: string, what: CheckpointNote['what'], startMs: number, bytes: number, error?: SublaceError): void {
    this.#options.onNote({ jobId, what, bytes, seconds: (performance.now() - startMs) / 1000, ...(error && { error }) });
  }
}
