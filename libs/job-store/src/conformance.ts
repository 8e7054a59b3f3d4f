import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Change, JsonObject, Lease, SchedulingOptions } from '@sublace/scheduling';
import { compareRandomHistories } from './conformance-histories.ts';
import type { JobStore, JobView } from './job-store.ts';

/** A store under test, with its clock in the suite's hands. */
export interface StoreUnderTest {
  store: JobStore;
  /** The store's clock, ms. */
  now(): number;
  /** Moves the store's clock. */
  advance(ms: number): void;
  /** Closes the store as a dying process would, and opens it again on the same data. */
  reopen(): Promise<JobStore>;
  /** The jobs as another process would read them, where there is such a thing. */
  stored?(): Promise<JobView[]>;
  /** Closes it and removes its data. */
  dispose(): Promise<void>;
}

const LEASE_MS = 10_000;
const OPTIONS: SchedulingOptions = { leaseDurationMs: LEASE_MS, attemptsMax: 3 };
const PLAN: JsonObject = {
  shards: [
    { start: 0, count: 5 },
    { start: 5, count: 5 },
  ],
};

/**
 * The laws of the JobStore contract, as tests. Every implementation calls this from a spec.
 *
 * @param name  Of the implementation.
 * @param open  Opens an empty store.
 * @param historyCount  How many random histories to compare with the state machine.
 */
export function jobStoreConformance(
  name: string,
  open: (options: SchedulingOptions) => Promise<StoreUnderTest>,
  historyCount: number,
): void {
  describe(`${name} keeps the JobStore contract`, () => {
    let test: StoreUnderTest;
    let store: JobStore;

    beforeEach(async () => {
      test = await open(OPTIONS);
      store = test.store;
    });

    afterEach(() => test.dispose());

    const claim = async (worker = 'w1'): Promise<Lease> => {
      const lease = await store.claimShard(worker);
      expect(lease, 'a pending shard').toBeDefined();
      return lease!;
    };
    const fenced = expect.objectContaining({ code: 'FENCED' }) as Error;

    it('runs a job from plan to publication', async () => {
      const jobId = await store.submitJob({ output: '/tmp/x', n: 1 });
      expect(jobId).toMatch(/^[a-zA-Z0-9-]+$/);
      const seen: string[] = [];
      for (let lease = await store.claimShard('w1'); lease; lease = await store.claimShard('w1')) {
        seen.push(`${lease.phase}/${lease.shard}`);
        await store.offerTiles(lease);
        expect(await store.completeShard(lease, lease.phase === 'plan' ? PLAN : { of: seen.length })).toBe('accepted');
      }
      expect(seen).toEqual(['plan/0', 'score/0', 'score/1', 'select/0', 'accumulate/0', 'accumulate/1', 'finalise/0']);
      const job = await store.getJob(jobId);
      expect([job.state, job.summaries.score, job.spec]).toEqual(['reducing', [{ of: 2 }, { of: 3 }], { output: '/tmp/x', n: 1 }]);
      await store.publishJob(jobId);
      expect((await store.getJob(jobId)).state).toBe('succeeded');
    });

    it('fences whoever lost the lease, in every method that takes one', async () => {
      await store.submitJob({});
      const old = await claim('w1');
      test.advance(LEASE_MS);
      await store.requeueExpired();
      const current = await claim('w2');
      expect(current.leaseToken).toBeGreaterThan(old.leaseToken);
      await expect(store.renewLease(old)).rejects.toThrow(fenced);
      await expect(store.offerTiles(old)).rejects.toThrow(fenced);
      await expect(store.completeShard(old, PLAN)).rejects.toThrow(fenced);
      await expect(store.failShard(old, { code: 'INTERNAL', message: '', retryable: true })).rejects.toThrow(fenced);
      await expect(store.releaseShard(old)).rejects.toThrow(fenced);
      await expect(store.renewLease({ ...current, shard: 1 })).rejects.toThrow(fenced);
      expect(await store.findLease(old)).toBeUndefined();
      expect(await store.findLease(current)).toMatchObject({ workerId: 'w2', attempt: 2 });
      expect(await store.completeShard(current, PLAN)).toBe('accepted');
    });

    it('completes a shard once, however often its holder says so', async () => {
      const jobId = await store.submitJob({});
      const lease = await claim();
      expect(await store.completeShard(lease, PLAN)).toBe('accepted');
      expect(await store.completeShard(lease, { shards: [1, 2, 3] })).toBe('duplicate');
      expect(await store.offerTiles(lease)).toBe('duplicate');
      expect((await store.getJob(jobId)).summaries.plan).toEqual([PLAN]);
      expect((await store.getJob(jobId)).shards).toHaveLength(2);
    });

    it('keeps a renewed lease and frees one that was not', async () => {
      await store.submitJob({});
      const lease = await claim();
      test.advance(LEASE_MS - 1);
      await store.renewLease(lease);
      test.advance(LEASE_MS - 1);
      await store.requeueExpired();
      expect(await store.claimShard('w2')).toBeUndefined();
      test.advance(1);
      await store.requeueExpired();
      expect(await store.claimShard('w2')).toMatchObject({ attempt: 2 });
    });

    it('fails a job by name when a shard has used up its attempts', async () => {
      const jobId = await store.submitJob({});
      for (const attempt of [1, 2, 3]) {
        const lease = await claim();
        expect(lease.attempt).toBe(attempt);
        await store.failShard(lease, { code: 'INTERNAL', message: 'boom', retryable: true });
      }
      const { state, failure } = await store.getJob(jobId);
      expect([state, failure?.code, failure?.phase, failure?.shard]).toEqual(['failed', 'INTERNAL', 'plan', 0]);
      expect(failure?.message).toMatch(/plan shard 0.*3 attempts.*boom/);
    });

    it('fails a job at once for what no retry can mend, and voids its other leases', async () => {
      const jobId = await store.submitJob({});
      await store.completeShard(await claim(), PLAN);
      const [first, second] = [await claim('w1'), await claim('w2')];
      await store.failShard(first, { code: 'DATA_INVALID', message: 'row 3', retryable: false });
      expect(await store.getJob(jobId)).toMatchObject({ state: 'failed', failure: { code: 'DATA_INVALID', phase: 'score', shard: 0 } });
      await expect(store.renewLease(second)).rejects.toThrow(fenced);
    });

    it('frees the leases of a lost worker and of one that leaves; only the former counts as an attempt', async () => {
      await store.submitJob({});
      await store.releaseShard(await claim('w1'));
      expect((await claim('w1')).attempt).toBe(1);
      await store.releaseWorker('w2', 'gone');
      expect(await store.claimShard('w2')).toBeUndefined();
      await store.releaseWorker('w1', 'gone');
      expect((await claim('w2')).attempt).toBe(2);
    });

    it('gives a waiting claim the shard that becomes free, and nothing to one that gave up', async () => {
      const impatient = new AbortController();
      const given = store.claimShard('gone', { waitMs: 60_000, signal: impatient.signal });
      impatient.abort();
      expect(await given).toBeUndefined();
      const waiting = store.claimShard('w1', { waitMs: 60_000 });
      await store.submitJob({});
      expect(await waiting).toMatchObject({ workerId: 'w1', phase: 'plan', shard: 0 });
      expect(await store.claimShard('w2', { waitMs: 1 })).toBeUndefined();
    });

    it('gives every shard that becomes free to one of many that wait, also when some of them give up', async () => {
      await store.submitJob({});
      const plan = await claim('planner');
      const impatient = new AbortController();
      const waits = Array.from({ length: 20 }, (_, i) => {
        const signal = i % 3 === 0 ? { signal: impatient.signal } : {};
        return store.claimShard(`w${i}`, { waitMs: 60_000, ...signal });
      });
      const end = new AbortController();
      const last = store.claimShard('last', { waitMs: 60_000, signal: end.signal });
      impatient.abort();
      await store.completeShard(plan, PLAN);
      const first = await Promise.race(waits.filter((_, i) => i % 3 !== 0));
      expect(first?.phase).toBe('score');
      // The two shards of the phase have gone to two of them; the others wait on, and get what comes back.
      await store.releaseShard(first!);
      const again = await Promise.race(waits.filter((_, i) => i % 3 !== 0).map((wait) => wait.then((lease) => lease!)));
      expect(again.phase).toBe('score');
      await store.submitJob({});
      await store.submitJob({});
      const held = async (): Promise<number> =>
        (await store.listJobs()).flatMap((job) => job.shards).filter((shard) => shard.state === 'leased').length;
      // Two of score, and the plans of two more jobs.
      await expect.poll(held).toBe(4);
      end.abort();
      expect(await last).toBeUndefined();
    });

    it('runs jobs in the order of submission, and cancels', async () => {
      const first = await store.submitJob({});
      const second = await store.submitJob({});
      expect((await store.listJobs()).map((job) => job.jobId)).toEqual([first, second]);
      const lease = await claim();
      expect(lease.jobId).toBe(first);
      await store.cancelJob(first, 'no longer wanted');
      await expect(store.completeShard(lease, PLAN)).rejects.toThrow(fenced);
      expect(await store.getJob(first)).toMatchObject({ state: 'cancelled', failure: { code: 'CANCELLED', message: 'no longer wanted' } });
      expect((await claim()).jobId).toBe(second);
    });

    it('serves a higher priority first, and equal ones in the order of submission', async () => {
      const low = await store.submitJob({}, { priority: -1 });
      const [first, second] = [await store.submitJob({}), await store.submitJob({}, { priority: 0 })];
      const running = await claim();
      const high = await store.submitJob({}, { priority: 7 });
      expect([running.jobId, (await claim()).jobId, (await claim()).jobId, (await claim()).jobId]).toEqual([first, high, second, low]);
      expect(await store.getJob(high)).toMatchObject({ priority: 7, state: 'running' });
      // Who has been served is not interrupted, but what is left of it waits.
      expect(await store.completeShard(running, PLAN)).toBe('accepted');
      const urgent = await store.submitJob({}, { priority: 8 });
      expect([(await claim()).jobId, (await claim()).jobId]).toEqual([urgent, first]);
    });

    it('gives no shard to two of many workers that ask at once, and to every worker one', async () => {
      const jobId = await store.submitJob({});
      const shards = Array.from({ length: 1150 }, (_, index) => ({ start: index, count: 1 }));
      await store.completeShard(await claim(), { shards });
      const claims = await Promise.all(Array.from({ length: 1200 }, (_, index) => store.claimShard(`w${index}`)));
      const leases = claims.filter((lease) => lease !== undefined);
      expect(new Set(leases.map((lease) => lease.shard))).toEqual(new Set(shards.keys()));
      expect(leases).toHaveLength(shards.length);
      expect(new Set(leases.map((lease) => lease.leaseToken)).size).toBe(shards.length);
      const outcomes = await Promise.all(leases.flatMap((lease) => [store.completeShard(lease, {}), store.completeShard(lease, {})]));
      expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(shards.length);
      expect(await store.getJob(jobId)).toMatchObject({ phase: 'select', shardsDone: 0 });
    });

    it('does not know other jobs', async () => {
      const notFound = expect.objectContaining({ code: 'NOT_FOUND' }) as Error;
      await expect(store.getJob('job-x')).rejects.toThrow(notFound);
      await expect(store.cancelJob('job-x', '')).rejects.toThrow(notFound);
      await expect(store.renewLease({ jobId: 'job-x', phase: 'plan', shard: 0, leaseToken: 1 })).rejects.toThrow(notFound);
    });

    it('tells watchers every change from the call on', async () => {
      const stop = new AbortController();
      const watch = store.watchJob(undefined, stop.signal);
      const jobId = await store.submitJob({});
      await store.failShard(await claim(), { code: 'DATA_INVALID', message: 'row 3', retryable: false });
      stop.abort();
      const seen: Change[] = [];
      for await (const change of watch) seen.push(change);
      expect(seen.map((change) => (change.type === 'phaseStarted' ? change.phase : 'state' in change ? change.state : ''))).toEqual([
        'queued',
        'plan',
        'running',
        'leased',
        'failed',
        'failed',
      ]);
      expect(new Set(seen.map((change) => change.jobId))).toEqual(new Set([jobId]));
    });

    it('remembers everything but leases when it is opened again', async () => {
      const jobId = await store.submitJob({ n: 1 });
      await store.completeShard(await claim(), PLAN);
      await store.completeShard(await claim(), { of: 0 });
      const lost = await claim('w1');
      store = await test.reopen();
      const job = await store.getJob(jobId);
      expect([job.state, job.phase, job.shards.map((shard) => shard.state)]).toEqual(['running', 'score', ['done', 'pending']]);
      await expect(store.completeShard(lost, { of: 1 })).rejects.toThrow(fenced);
      const again = await claim('w2');
      expect([again.shard, again.attempt]).toEqual([1, 1]);
      expect(again.leaseToken).toBeGreaterThan(lost.leaseToken);
    });

    it('goes back to a phase whose results were lost', async () => {
      const jobId = await store.submitJob({});
      await store.completeShard(await claim(), PLAN);
      for (const _shard of [0, 1]) await store.completeShard(await claim(), {});
      const select = await claim();
      expect(select.phase).toBe('select');
      await store.restartPhase(jobId, 'score');
      await expect(store.completeShard(select, {})).rejects.toThrow(fenced);
      expect(await claim()).toMatchObject({ phase: 'score', shard: 0, attempt: 1 });
      expect((await store.getJob(jobId)).summaries.plan).toEqual([PLAN]);
    });

    it('computes again only the shards whose results were lost', async () => {
      const jobId = await store.submitJob({});
      await store.completeShard(await claim(), PLAN);
      const [first, second] = [await claim('w1'), await claim('w2')];
      await store.completeShard(first, { of: 0 });
      // In the phase that runs, the lease of the other shard goes on.
      await store.restartPhase(jobId, 'score', [0]);
      expect(await store.getJob(jobId)).toMatchObject({ shardsDone: 0, shards: [{ state: 'pending', attempt: 0 }, { state: 'leased' }] });
      await expect(store.completeShard(first, { of: 0 })).rejects.toThrow(fenced);
      await store.failShard(second, { code: 'INTERNAL', message: 'boom', retryable: true });
      await store.completeShard(await claim(), { of: 2 });
      const third = await claim('w2');
      expect(third).toMatchObject({ shard: 1, attempt: 2 });
      await store.completeShard(third, { of: 1 });
      expect((await claim()).phase).toBe('select');
      // In a phase that is over, the other shard stays done, with its summary and its token.
      await store.restartPhase(jobId, 'score', [0, 7]);
      expect(await store.completeShard(third, { of: 3 })).toBe('duplicate');
      expect(await claim()).toMatchObject({ phase: 'score', shard: 0, attempt: 1 });
      expect(await store.claimShard('w2')).toBeUndefined();
      expect((await store.getJob(jobId)).summaries.score).toEqual([undefined, { of: 1 }]);
      await store.restartPhase(jobId, 'score', []);
      store = await test.reopen();
      const { shards, shardsDone } = await store.getJob(jobId);
      expect([shardsDone, shards[1]]).toEqual([1, { state: 'done', attempt: 1, leaseToken: third.leaseToken }]);
    });

    it('behaves as the state machine does in random histories', () => compareRandomHistories(open, OPTIONS, historyCount), 120_000);
  });
}
