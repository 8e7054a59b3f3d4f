import { SublaceError, type ErrorCode } from '@sublace/errors';
import {
  emptyState,
  isChange,
  PHASES,
  step,
  type Change,
  type Job,
  type JsonObject,
  type Lease,
  type Phase,
  type SchedulerState,
} from '@sublace/scheduling';
import type { LeaseRef, Reply, SchedulingEvent, SchedulingOptions } from '@sublace/scheduling';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { StoreUnderTest } from './conformance.ts';
import type { JobStore, JobView } from './job-store.ts';

/** What a history does next; indices are taken modulo what there is. */
type Action =
  | { kind: 'submit'; priority: number }
  | { kind: 'claim'; worker: number }
  | { kind: 'complete'; lease: number; plannedShards: number }
  | { kind: 'renew' | 'offer' | 'release'; lease: number; shardShift: number }
  | { kind: 'fail'; lease: number; retryable: boolean }
  | { kind: 'loseWorker'; worker: number }
  | { kind: 'tick'; ms: number }
  | { kind: 'cancel' | 'failJob' | 'publish'; job: number }
  | { kind: 'restart'; job: number; phase: Phase; shards: number[] | undefined }
  | { kind: 'reopen' };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('submit' as const), priority: fc.integer({ min: -1, max: 2 }) }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('claim' as const), worker: fc.nat(3) }) },
  {
    weight: 16,
    arbitrary: fc.record({ kind: fc.constant('complete' as const), lease: fc.nat(5), plannedShards: fc.constantFrom(3, 2, 4, 1, 3, 2, 0) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('renew' as const, 'offer' as const, 'release' as const),
      lease: fc.nat(5),
      shardShift: fc.constantFrom(0, 0, 0, 1, 9),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('fail' as const), lease: fc.nat(3), retryable: fc.constantFrom(true, true, true, false) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('loseWorker' as const), worker: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tick' as const), ms: fc.nat(8000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('publish' as const, 'publish' as const, 'publish' as const, 'cancel' as const, 'failJob' as const),
      job: fc.nat(5),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('restart' as const),
      job: fc.nat(2),
      phase: fc.constantFrom(...PHASES),
      shards: fc.option(fc.array(fc.nat(5), { maxLength: 3 }), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
);

/**
 * Random histories: after every event the store's reply, its changes and its jobs are those of `step`, word for word.
 *
 * @param open  Opens an empty store.
 * @param options  Lease duration and attempts.
 * @param runCount  How many histories.
 */
export async function compareRandomHistories(
  open: (options: SchedulingOptions) => Promise<StoreUnderTest>,
  options: SchedulingOptions,
  runCount: number,
): Promise<void> {
  const phases = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 40, maxLength: 120 }), async (actions) => {
      const test = await open(options);
      try {
        const history = new History(test, options);
        for (const next of actions) await history.act(next);
        await history.end();
        for (const job of history.jobs()) phases.add(job.state === 'succeeded' ? 'published' : job.phase);
      } finally {
        await test.dispose();
      }
    }),
    { numRuns: runCount, seed: 11 },
  );
  expect(phases, 'phases that the histories reached').toEqual(new Set([...PHASES, 'published']));
}

class History {
  readonly #test: StoreUnderTest;
  #store: JobStore;
  #state: SchedulerState;
  #leases: Lease[] = [];
  #expected: Change[] = [];
  #watched: Promise<Change[]>;
  #stopWatch = new AbortController();

  constructor(test: StoreUnderTest, options: SchedulingOptions) {
    this.#test = test;
    this.#store = test.store;
    this.#state = emptyState(options);
    this.#watched = this.#watch();
  }

  jobs(): Job[] {
    return [...this.#state.jobs.values()];
  }

  async act(next: Action): Promise<void> {
    if (next.kind === 'tick') this.#test.advance(next.ms);
    if (next.kind === 'reopen') await this.#reopen();
    else {
      const event = this.#eventOf(next);
      if (!event) return;
      const found = await this.#ask(event);
      // The store chooses the id of a job.
      if (event.type === 'submitJob') event.jobId = String(found);
      expect([next, found]).toEqual([next, answerOf(event, this.#step(event))]);
    }
    await this.#compareJobs();
  }

  /** Ends the watch and compares what it saw. */
  async end(): Promise<void> {
    this.#stopWatch.abort();
    expect(await this.#watched).toEqual(this.#expected);
  }

  async #reopen(): Promise<void> {
    await this.end();
    this.#store = await this.#test.reopen();
    // A store that has never seen an event has nothing to void.
    if (this.#state.jobs.size > 0) this.#step({ type: 'reopen' });
    this.#stopWatch = new AbortController();
    this.#expected = [];
    this.#watched = this.#watch();
  }

  async #watch(): Promise<Change[]> {
    const seen: Change[] = [];
    for await (const change of this.#store.watchJob(undefined, this.#stopWatch.signal)) seen.push(structuredClone(change));
    return seen;
  }

  #step(event: SchedulingEvent): Reply {
    const { effects } = step(this.#state, structuredClone(event), this.#test.now());
    this.#expected.push(...structuredClone(effects.filter(isChange) as Change[]));
    const reply = effects[0] as Reply;
    if (reply.type === 'leased') this.#leases.unshift(reply.lease);
    return reply;
  }

  #eventOf(next: Exclude<Action, { kind: 'reopen' }>): SchedulingEvent | undefined {
    const jobs = this.jobs();
    if (next.kind === 'submit') return { type: 'submitJob', jobId: '', spec: { name: `job ${jobs.length}` }, priority: next.priority };
    if (next.kind === 'claim') return { type: 'claimShard', workerId: `worker ${next.worker}` };
    if (next.kind === 'loseWorker') return { type: 'releaseWorker', workerId: `worker ${next.worker}`, reason: 'it is "gone"' };
    if (next.kind === 'tick') return { type: 'requeueExpired' };
    if ('lease' in next) return this.#leaseEventOf(next);
    if (jobs.length === 0) return undefined;
    const finalised = next.kind === 'publish' ? jobs.find((job) => job.state === 'reducing' && job.shardsDone === 1) : undefined;
    const { jobId } = finalised ?? jobs[next.job % jobs.length];
    if (next.kind === 'cancel') return { type: 'cancelJob', jobId, reason: 'no longer\nwanted' };
    if (next.kind === 'failJob') return { type: 'failJob', jobId, code: 'INTERNAL', message: 'it is broken: é' };
    if (next.kind === 'restart') return { type: 'restartPhase', jobId, phase: next.phase, ...(next.shards && { shards: next.shards }) };
    return { type: 'publishJob', jobId };
  }

  #leaseEventOf(next: Extract<Action, { lease: number }>): SchedulingEvent | undefined {
    // Mostly those that are held, or no history would get far; stale ones do come.
    const held = [...this.#state.leases.values()];
    const leases = next.lease < 4 && held.length > 0 ? held : this.#leases;
    const lease = leases.at(next.lease % Math.max(1, leases.length));
    if (!lease) return undefined;
    const { jobId, phase, shard, leaseToken } = lease;
    const ref: LeaseRef = { jobId, phase, shard, leaseToken };
    if (next.kind === 'complete') {
      const shards = Array.from({ length: next.plannedShards }, (_, index): JsonObject => ({ start: index, count: 1 }));
      return { type: 'completeShard', ref, summary: phase === 'plan' ? { shards } : { of: leaseToken } };
    }
    if (next.kind === 'fail') return { type: 'failShard', ref, code: 'DATA_INVALID', message: 'row 3', retryable: next.retryable };
    const shifted = { ...ref, shard: shard + next.shardShift };
    return { type: next.kind === 'renew' ? 'renewLease' : next.kind === 'offer' ? 'offerTiles' : 'releaseShard', ref: shifted };
  }

  async #ask(event: SchedulingEvent): Promise<unknown> {
    try {
      return await call(this.#store, event);
    } catch (error) {
      const { code, message } = SublaceError.from(error);
      return `${code}: ${message}`;
    }
  }

  async #compareJobs(): Promise<void> {
    const expected = this.jobs().map(comparable);
    expect((await this.#store.listJobs()).map(comparable)).toEqual(expected);
    const stored = await this.#test.stored?.();
    if (stored) expect(stored.map(comparable), 'jobs as they are stored').toEqual(expected);
    for (const lease of this.#state.leases.values()) expect(await this.#store.findLease(lease)).toEqual(lease);
  }
}

function call(store: JobStore, event: SchedulingEvent): Promise<unknown> {
  switch (event.type) {
    case 'submitJob':
      return store.submitJob(event.spec, { priority: event.priority ?? 0 });
    case 'claimShard':
      return store.claimShard(event.workerId);
    case 'renewLease':
      return store.renewLease(event.ref);
    case 'offerTiles':
      return store.offerTiles(event.ref);
    case 'completeShard':
      return store.completeShard(event.ref, event.summary);
    case 'failShard':
      return store.failShard(event.ref, event);
    case 'releaseShard':
      return store.releaseShard(event.ref);
    case 'releaseWorker':
      return store.releaseWorker(event.workerId, event.reason);
    case 'requeueExpired':
      return store.requeueExpired();
    case 'cancelJob':
      return store.cancelJob(event.jobId, event.reason);
    case 'failJob':
      return store.failJob(event.jobId, { code: event.code, message: event.message });
    case 'publishJob':
      return store.publishJob(event.jobId);
    case 'restartPhase':
      return store.restartPhase(event.jobId, event.phase, event.shards);
    case 'reopen':
      throw new Error('reopen is no call');
  }
}

/** What the store's method must answer where `step` replies so. */
function answerOf(event: SchedulingEvent, reply: Reply): unknown {
  const refused = (code: ErrorCode, message: string): string => `${code}: ${message}`;
  if (reply.type === 'fenced') return refused('FENCED', reply.message);
  if (reply.type === 'unknownJob') return refused('NOT_FOUND', `job ${reply.jobId}: expected a job of this coordinator, got an unknown id`);
  if (event.type === 'submitJob') return event.jobId;
  if (reply.type === 'leased') return reply.lease;
  if (event.type === 'renewLease') return reply.type === 'renewed' ? reply.leaseExpiresAtMs : expect.any(Number);
  if (event.type === 'offerTiles' || event.type === 'completeShard') return reply.type === 'duplicate' ? 'duplicate' : 'accepted';
  return undefined;
}

/** A job without what is a matter of bookkeeping: where a search may begin, and what is kept of phases that come again. */
function comparable(job: JobView): unknown {
  const { firstPending: _hint, summaries, doneTokens, shards, ...rest } = job;
  const reached = PHASES.slice(0, PHASES.indexOf(job.phase) + 1);
  const before = reached.slice(0, -1);
  return {
    ...rest,
    shards: shards.map((shard) => ({ lastFailure: '', ...shard })),
    summaries: reached.map((phase) => (summaries[phase] ?? []).map((summary) => summary ?? null)),
    doneTokens: before.map((phase) => doneTokens[phase]),
  };
}
