import { below, failSpan, isTracing, shardAttributes, startJobSpan, startSpan, traced, traceparentOf, type Span } from '@sublace/telemetry';
import { SublaceError } from '@sublace/errors';
import { isFinal, type Change, type Lease } from '@sublace/scheduling';

/** The open spans of a job. */
interface TracedJob {
  span: Span;
  phase?: { name: string; span: Span };
  /** The phase whose first lease was seen before the news that it has begun. */
  ahead?: string;
}

/**
 * One trace per job: the job, its phases, the leases of its shards, publishing. What workers, reducers and pulls add lies below the leases. Where tracing
 * is off, every method returns at once.
 */
export class JobTracer {
  readonly #jobs = new Map<string, TracedJob>();
  readonly #leases = new Map<number, { jobId: string; phase: string; span: Span }>();

  /**
   * Takes a job; again and again changes nothing.
   *
   * @param jobId  The job.
   * @param submittedAtMs  When it was submitted.
   */
  begin(jobId: string, submittedAtMs: number): void {
    if (isTracing() && !this.#jobs.has(jobId)) this.#jobs.set(jobId, { span: startJobSpan(jobId, submittedAtMs) });
  }

  /**
   * Takes a change of the store.
   *
   * @param change  What changed.
   */
  apply(change: Change): void {
    const job = this.#jobs.get(change.jobId);
    if (!job) return;
    if (change.type === 'phaseStarted') {
      // News comes in order, so what is open of another phase was dropped; of this one it was given just now.
      this.#endLeases(change.jobId, 'its phase began again', job.ahead);
      if (job.ahead !== change.phase) this.#startPhase(change.jobId, job, change.phase, change.shardCount);
      job.phase?.span.setAttribute('sublace.shard_count', change.shardCount);
      delete job.ahead;
    } else if (change.type === 'shardChanged') {
      if (change.state !== 'leased')
        this.#endLease(change.leaseToken, change.state === 'done' ? undefined : (change.reason ?? change.state));
    } else if (change.type === 'jobChanged' && isFinal(change.state)) {
      this.#end(change.jobId, job, change);
    }
  }

  /**
   * The span of a lease, for the worker to go on from.
   *
   * @param lease  A lease that was given just now.
   * @param submittedAtMs  When its job was submitted.
   * @returns  The `traceparent`; empty where tracing is off.
   */
  lease(lease: Lease, submittedAtMs: number): string {
    this.begin(lease.jobId, submittedAtMs);
    const job = this.#jobs.get(lease.jobId);
    if (!job) return '';
    if (job.phase?.name !== lease.phase) {
      this.#startPhase(lease.jobId, job, lease.phase);
      job.ahead = lease.phase;
    }
    const span = startSpan('lease', shardAttributes(lease), below((job.phase ?? job).span));
    this.#leases.set(lease.leaseToken, { jobId: lease.jobId, phase: lease.phase, span });
    return traceparentOf(span);
  }

  /**
   * Runs what is done for a job as a whole inside a span of its phase.
   *
   * @param jobId  The job.
   * @param name  Name of the span.
   * @param act  Does it.
   * @returns  What it returns.
   */
  within<T>(jobId: string, name: 'checkpoints' | 'publish', act: () => Promise<T>): Promise<T> {
    const job = this.#jobs.get(jobId);
    return job ? traced(name, { 'sublace.job_id': jobId }, act, below((job.phase ?? job).span)) : act();
  }

  #startPhase(jobId: string, job: TracedJob, phase: string, shardCount?: number): void {
    job.phase?.span.end();
    const count = shardCount === undefined ? {} : { 'sublace.shard_count': shardCount };
    const attributes = { 'sublace.job_id': jobId, 'sublace.phase': phase, ...count };
    job.phase = { name: phase, span: startSpan(`phase ${phase}`, attributes, below(job.span)) };
  }

  #end(jobId: string, job: TracedJob, { state, failure }: Change & { type: 'jobChanged' }): void {
    this.#endLeases(jobId, `the job is ${state}`);
    if (failure) for (const span of [job.phase?.span, job.span]) if (span) failSpan(span, new SublaceError(failure.code, failure.message));
    job.span.setAttribute('sublace.job_state', state);
    job.phase?.span.end();
    job.span.end();
    this.#jobs.delete(jobId);
  }

  #endLeases(jobId: string, reason: string, except?: string): void {
    for (const [token, lease] of this.#leases) if (lease.jobId === jobId && lease.phase !== except) this.#endLease(token, reason);
  }

  #endLease(token: number, reason: string | undefined): void {
    const span = this.#leases.get(token)?.span;
    if (!span) return;
    if (reason !== undefined) failSpan(span, new SublaceError('UNAVAILABLE', reason));
    span.end();
    this.#leases.delete(token);
  }
}
