import { isFinal, PHASES, type Change, type Job, type Lease, type Phase, type SchedulingEvent, type Shard } from '@sublace/scheduling';

/** Events whose shards end badly: their reason is kept with the shard. */
const LOSING = new Set<SchedulingEvent['type']>(['failShard', 'releaseWorker', 'requeueExpired']);

/**
 * The jobs and leases of a namespace as this process knows them, so that looking at a job with many shards needs no network. Only the owner of a
 * namespace writes to it, so what the scripts answer is all that can have changed.
 */
export class Mirror {
  readonly jobs: Map<string, Job>;
  readonly leases: Map<number, Lease>;
  /** Number of the last change in Redis that is known here. */
  revision: number;
  /** Highest lease token that is known here. */
  highestToken: number;
  /** Pending shards of open jobs. */
  #pending = new Map<string, number>();

  /**
   * @param jobs  In the order of submission; owned by the mirror.
   * @param leases  Those that are held; owned by the mirror.
   * @param revision  Of this state.
   */
  constructor(jobs = new Map<string, Job>(), leases = new Map<number, Lease>(), revision = 0) {
    this.jobs = jobs;
    this.leases = leases;
    this.revision = revision;
    this.highestToken = Math.max(0, ...leases.keys());
    for (const job of jobs.values()) this.#count(job);
  }

  /** Whether a claim could get a shard. */
  get hasPending(): boolean {
    return this.#pending.size > 0;
  }

  /**
   * Takes what a script did; not called for one that refused.
   *
   * @param event  What it was asked to do.
   * @param changes  What changed.
   * @param nowMs  When, by the coordinator's clock.
   * @param leaseExpiresAtMs  Expiry of a lease that was given or renewed.
   */
  apply(event: SchedulingEvent, changes: readonly Change[], nowMs: number, leaseExpiresAtMs: number): void {
    if ((event.type === 'renewLease' || event.type === 'offerTiles') && this.leases.has(event.ref.leaseToken))
      this.leases.get(event.ref.leaseToken)!.leaseExpiresAtMs = leaseExpiresAtMs;
    for (const change of changes) {
      if (event.type === 'submitJob' && !this.jobs.has(event.jobId)) this.jobs.set(event.jobId, newJob(event, nowMs));
      const job = this.jobs.get(change.jobId)!;
      if (change.type === 'jobChanged') this.#jobChanged(job, change);
      else if (change.type === 'phaseStarted') this.#phaseStarted(job, change, event);
      else if (change.type === 'shardChanged') this.#shardChanged(job, change, event, leaseExpiresAtMs);
    }
  }

  #jobChanged(job: Job, { state, failure }: Change & { type: 'jobChanged' }): void {
    if (failure) job.failure = failure;
    if (isFinal(state)) {
      this.#dropLeases(job);
      this.#pending.delete(job.jobId);
    }
    job.state = state;
  }

  #phaseStarted(job: Job, { phase, shardCount }: Change & { type: 'phaseStarted' }, event: SchedulingEvent): void {
    const kept = new Map<number, Shard>();
    const summaries = job.summaries[phase];
    if (event.type === 'restartPhase') {
      this.#dropLeases(job);
      const lost = new Set(event.shards ?? range(shardCount));
      for (const [index, leaseToken] of (job.doneTokens[phase] ?? []).entries())
        if (!lost.has(index)) kept.set(index, { state: 'done', attempt: 1, leaseToken });
      for (const later of PHASES.slice(PHASES.indexOf(phase))) {
        job.summaries[later] = undefined;
        job.doneTokens[later] = undefined;
      }
    }
    job.phase = phase;
    job.shards = range(shardCount).map((index) => kept.get(index) ?? { state: 'pending', attempt: 0, leaseToken: 0 });
    job.shardsDone = kept.size;
    job.summaries[phase] = range(shardCount).map((index) => (kept.has(index) ? summaries?.[index] : undefined));
    this.#pending.set(job.jobId, shardCount - kept.size);
  }

  #shardChanged(job: Job, change: Change & { type: 'shardChanged' }, event: SchedulingEvent, leaseExpiresAtMs: number): void {
    const { jobId, phase, shard: index, state, attempt, leaseToken, workerId = '', reason } = change;
    const shard = job.shards[index];
    const before = shard.state;
    Object.assign(shard, { state, attempt, leaseToken });
    if (LOSING.has(event.type) && reason !== undefined) shard.lastFailure = reason;
    if (state === 'leased') {
      this.leases.set(leaseToken, { jobId, phase, shard: index, leaseToken, workerId, attempt, leaseExpiresAtMs });
      this.highestToken = Math.max(this.highestToken, leaseToken);
    } else this.leases.delete(leaseToken);
    if (before === 'pending') this.#addPending(jobId, -1);
    if (state === 'pending') this.#addPending(jobId, 1);
    if (before === 'done') {
      // Its result was lost: as if it had never been leased.
      job.shardsDone--;
      delete shard.lastFailure;
      job.summaries[phase]![index] = undefined;
    }
    if (state === 'done') {
      job.shardsDone++;
      if (event.type === 'completeShard') job.summaries[phase]![index] = event.summary;
      if (job.shardsDone === job.shards.length) job.doneTokens[phase] = job.shards.map((each) => each.leaseToken);
    }
  }

  /** Leases of a job that ends or goes back are void; their shards are pending without a word. */
  #dropLeases(job: Job): void {
    for (const [token, lease] of this.leases) {
      if (lease.jobId !== job.jobId) continue;
      this.leases.delete(token);
      job.shards[lease.shard].state = 'pending';
    }
  }

  #count(job: Job): void {
    const pending = isFinal(job.state) ? 0 : job.shards.filter((shard) => shard.state === 'pending').length;
    if (pending > 0) this.#pending.set(job.jobId, pending);
  }

  #addPending(jobId: string, count: number): void {
    const pending = (this.#pending.get(jobId) ?? 0) + count;
    if (pending > 0) this.#pending.set(jobId, pending);
    else this.#pending.delete(jobId);
  }
}

function newJob({ jobId, spec, priority = 0 }: SchedulingEvent & { type: 'submitJob' }, submittedAtMs: number): Job {
  const phase: Phase = 'plan';
  const empty = { shards: [], shardsDone: 0, summaries: {}, doneTokens: {}, firstPending: 0 };
  return { jobId, spec, state: 'queued', phase, ...empty, submittedAtMs, priority };
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
