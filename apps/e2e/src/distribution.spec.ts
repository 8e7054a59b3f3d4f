import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProgressEvent } from '@sublace/protocol';
import { Cluster, leasedTo } from './distribution/cluster.ts';

/** The undisturbed digest: one worker, no faults. Every other run must give the same bits. */
let undisturbed: string | undefined;
let cluster: Cluster;

beforeEach(async () => {
  cluster = new Cluster();
  await cluster.startCoordinator();
});

afterEach(() => cluster.dispose());

/** Checks that a fit has ended well, was published whole, and gives its digest. */
function published(last: ProgressEvent): string {
  expect([last.state, last.failure]).toEqual(['succeeded', undefined]);
  const bytes = readFileSync(join(cluster.output, 'sums.bin'));
  const digest = createHash('sha256').update(bytes).digest('hex');
  expect(last.result?.digest).toBe(digest);
  expect(cluster.outputs(), 'nothing is left beside the output').toEqual(['posterior']);
  return digest;
}

/** The digest of an undisturbed fit with one worker. */
async function reference(): Promise<string> {
  if (undisturbed !== undefined) return undisturbed;
  const alone = new Cluster();
  try {
    await alone.startCoordinator();
    await alone.startWorkers(1);
    const last = await alone.finish(await alone.submit({ pauseMs: 0 }));
    undisturbed = last.result?.digest as string;
    return undisturbed;
  } finally {
    await alone.dispose();
  }
}

describe('a fit', () => {
  it.each([1, 2, 4])('gives the same bits with %d worker(s)', async (count) => {
    await cluster.startWorkers(count);
    const events: ProgressEvent[] = [];
    const digest = published(await cluster.finish(await cluster.submit(), (event) => events.push(event)));
    expect(digest).toBe(await reference());
    if (count > 1) expect(Math.max(...events.map((event) => event.workerCount)), 'workers at once').toBe(count);
  });

  it('tells how far it is, how long each phase took and how much moved', async () => {
    await cluster.startWorkers(2);
    const events: ProgressEvent[] = [];
    const last = await cluster.finish(await cluster.submit(), (event) => events.push(event));
    expect(last.phases.map((phase) => [phase.phase, phase.shardCount])).toEqual([
      ['plan', 1],
      ['score', 8],
      ['select', 1],
      ['accumulate', 8],
      ['finalise', 1],
    ]);
    const bytes = Object.fromEntries(last.phases.map((phase) => [phase.phase, phase.bytesPulled]));
    // Per shard: 230 scores; the lower triangle of 50 x 50 in tiles of 16. Once: 50 indices.
    expect(bytes).toEqual({
      plan: 0,
      score: 8 * 230 * 4,
      select: 50 * 4,
      accumulate: 8 * 4 * (16 * 16 * 6 + 3 * 2 * 16 + 2 * 2),
      finalise: 0,
    });
    expect(last.phases.every((phase) => phase.seconds > 0 && phase.computeSeconds > 0 && phase.transferSeconds > 0)).toBe(true);
    const finalise = last.phases.at(-1)!;
    expect(finalise.publishSeconds).toBeGreaterThan(0);
    expect(finalise.publishSeconds).toBeLessThan(finalise.seconds);
    const scored = events.filter((event) => event.phase === 'score' && event.state === 'running');
    expect(scored.map((event) => event.examplesDone)).toEqual(scored.map((event) => event.examplesDone).sort((a, b) => a - b));
    expect(new Set(scored.map((event) => event.examplesTotal))).toEqual(new Set([403]));
    expect(events.some((event) => event.message === 'accumulate starts with 8 shards')).toBe(true);
  });

  it('waits in the queue behind another one', async () => {
    const first = await cluster.submit();
    const second = await cluster.submit({ output: join(cluster.folder, 'second') });
    await cluster.startWorkers(2);
    const [one, two] = await Promise.all([cluster.finish(first), cluster.finish(second)]);
    expect([one.state, two.state]).toEqual(['succeeded', 'succeeded']);
    expect(one.atMs).toBeLessThan(two.atMs);
    expect(two.result?.digest).toBe(one.result?.digest);
    expect((await cluster.client.listJobs()).map((job) => job.jobId)).toEqual([first, second]);
  });

  it('is cancelled, leaving nothing', async () => {
    await cluster.startWorkers(2);
    const jobId = await cluster.submit({ pauseMs: 200 });
    await cluster.until(jobId, (event) => event.phase === 'score' && event.shardsDone > 0);
    await cluster.client.cancelJob(jobId, 'no longer wanted');
    expect(await cluster.finish(jobId)).toMatchObject({ state: 'cancelled', failure: { code: 'CANCELLED', message: 'no longer wanted' } });
    expect(cluster.outputs()).toEqual([]);
    // The workers are free for the next one.
    expect(published(await cluster.finish(await cluster.submit({ pauseMs: 0 })))).toBe(await reference());
  });
});

describe('a worker that is killed (kill -9)', () => {
  it.each(['score', 'select', 'accumulate', 'finalise'])('in the middle of %s changes nothing but the time', async (phase) => {
    await cluster.startWorkers(2);
    const jobId = await cluster.submit({ pauseMs: 150 });
    let victim: string | undefined;
    const last = await cluster.finish(jobId, (event) => {
      if (victim !== undefined) return;
      victim = leasedTo(event, phase);
      if (victim !== undefined) cluster.worker(victim).child.kill('SIGKILL');
    });
    expect(victim, 'a worker was killed').toBeDefined();
    expect(published(last)).toBe(await reference());
    expect(cluster.coordinator.log()).toContain(`the connection of worker ${victim} broke`);
  });

  it('with every other worker, too, is replaced by those that come later', async () => {
    await cluster.startWorkers(2);
    const jobId = await cluster.submit({ pauseMs: 100 });
    await cluster.until(jobId, (event) => event.phase === 'accumulate' && event.shardsDone >= 2);
    for (const { child } of cluster.workers) child.kill('SIGKILL');
    await cluster.startWorkers(3);
    expect(published(await cluster.finish(jobId))).toBe(await reference());
  });
});

describe('a zombie (SIGSTOP past its lease, then SIGCONT)', () => {
  it.each(['score', 'accumulate'])('in %s is fenced and the bits are the same', async (phase) => {
    await cluster.startWorkers(2);
    const jobId = await cluster.submit({ pauseMs: 200 });
    let zombie: string | undefined;
    const last = await cluster.finish(jobId, (event) => {
      if (zombie === undefined) {
        zombie = leasedTo(event, phase);
        if (zombie !== undefined) cluster.worker(zombie).child.kill('SIGSTOP');
      } else if (event.message.includes(`lease of worker ${zombie} expired`)) {
        cluster.worker(zombie).child.kill('SIGCONT');
      }
    });
    expect(published(last)).toBe(await reference());
    const { log, child } = cluster.worker(zombie!);
    expect(log()).toContain('shard is dropped');
    expect(child.exitCode, 'the zombie lives on as a worker').toBeNull();
  });
});

describe('a shard that cannot be computed', () => {
  it('fails its job by name after its attempts, and nothing is published', async () => {
    await cluster.startWorkers(2);
    const last = await cluster.finish(await cluster.submit({ pauseMs: 0, fault: { phase: 'accumulate', shard: 3, kind: 'throw' } }));
    expect(last).toMatchObject({ state: 'failed', failure: { code: 'INTERNAL', phase: 'accumulate', shard: 3 } });
    expect(last.failure?.message).toBe('accumulate shard 3: gave up after 5 attempts; the last one: a defect of the runner');
    expect(cluster.outputs()).toEqual([]);
  });

  it('fails its job when it kills its workers one after the other', async () => {
    await cluster.startWorkers(6);
    const last = await cluster.finish(await cluster.submit({ pauseMs: 0, fault: { phase: 'score', shard: 2, kind: 'die' } }));
    expect(last).toMatchObject({ state: 'failed', failure: { code: 'UNAVAILABLE', phase: 'score', shard: 2 } });
    expect(last.failure?.message).toMatch(/^score shard 2: gave up after 5 attempts; the last one: the connection of worker \S+ broke$/);
    expect(cluster.outputs()).toEqual([]);
    // The coordinator hears of the last one's end before this process does.
    await expect.poll(() => cluster.workers.filter(({ child }) => child.signalCode === 'SIGKILL').length, { timeout: 30_000 }).toBe(5);
  });

  it('for a reason that no retry can mend ends its job at once', async () => {
    await cluster.startWorkers(2);
    const jobId = await cluster.submit({ pauseMs: 0, fault: { phase: 'score', shard: 1, kind: 'bad data' } });
    const last = await cluster.finish(jobId);
    expect(last.failure).toEqual({
      code: 'DATA_INVALID',
      message: 'row 17: expected finite values, got NaN (score shard 1)',
      phase: 'score',
      shard: 1,
    });
    expect(cluster.coordinator.log().match(/score shard 1 is leased/g)).toHaveLength(1);
    expect(cluster.outputs()).toEqual([]);
  });

  it('because its sums leave their range fails loudly instead of giving a wrong sum', async () => {
    await cluster.startWorkers(2);
    const last = await cluster.finish(await cluster.submit({ pauseMs: 0, fault: { phase: 'select', shard: 0, kind: 'overflow' } }));
    expect(last).toMatchObject({ state: 'failed', failure: { code: 'SUM_OVERFLOW', phase: 'accumulate' } });
    expect(cluster.outputs()).toEqual([]);
  });
});

describe('an output that cannot be published to', () => {
  it('is refused before any work', async () => {
    const refused = cluster.submit({ output: join(cluster.folder, 'no', 'such', 'folder', 'posterior') });
    await expect(refused).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE' });
    await expect(cluster.submit({ output: 'relative/path' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await cluster.client.listJobs()).toEqual([]);
  });
});

describe('a worker that is asked to leave', () => {
  it.each([
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ] as const)('by %s hands its lease back and ends with %d', async (signal, status) => {
    await cluster.startWorkers(2);
    const jobId = await cluster.submit({ pauseMs: 300 });
    let leaver: string | undefined;
    const last = await cluster.finish(jobId, (event) => {
      const isFirst = leaver === undefined;
      leaver ??= leasedTo(event, 'accumulate');
      if (isFirst && leaver !== undefined) for (const _twice of [1, 2]) cluster.worker(leaver).child.kill(signal);
    });
    expect(published(last)).toBe(await reference());
    expect(await cluster.worker(leaver!).exit).toEqual({ status, signal: null });
    // A lease that was granted while the signal was on its way is one that the worker never saw: then its closing connection gives it back.
    // The line reaches this process through a pipe, some time after it was written.
    await vi.waitFor(() => expect(cluster.coordinator.log()).toMatch(/handed back|connection of worker \S+ broke/), 30_000);
  });
});

describe('a coordinator', () => {
  it('that is killed (kill -9) and started again resumes its job, with the same bits', async () => {
    await cluster.dispose();
    cluster = new Cluster();
    const state = join(cluster.folder, 'state');
    const { ready, child } = await cluster.startCoordinator('--state-dir', state);
    await cluster.startWorkers(2);
    const jobId = await cluster.submit({ pauseMs: 100 });
    await cluster.until(jobId, (event) => event.phase === 'accumulate' && event.shardsDone >= 2);
    child.kill('SIGKILL');
    await cluster.coordinator.exit;
    await cluster.startCoordinator('--state-dir', state, '--port', ready.address.split(':')[1]);
    expect(published(await cluster.finish(jobId))).toBe(await reference());
    await expect(cluster.startCoordinator('--state-dir', state), 'a second one on the same folder').rejects.toMatchObject({ status: 42 });
  });

  it('that is gone for good ends its workers, with an error that says so', async () => {
    const [worker] = await cluster.startWorkers(1, '--coordinator-timeout-ms', '1000');
    cluster.coordinator.child.kill('SIGKILL');
    expect(await worker.exit).toEqual({ status: 1, signal: null });
    expect(worker.log()).toMatch(/sublace: coordinator .*: expected an answer within 1000 ms, got none/);
  });

  it('refuses a port in use with exit code 42', async () => {
    const port = cluster.coordinator.ready.address.split(':')[1];
    await expect(cluster.startCoordinator('--port', port)).rejects.toMatchObject({
      status: 42,
      message: expect.stringContaining(`sublace: port ${port}`) as string,
    });
  });

  it('counts shards, bytes and requeued shards for Prometheus', async () => {
    const { ready } = await cluster.startCoordinator('--metrics-port', '0');
    await cluster.startWorkers(1);
    await cluster.finish(await cluster.submit({ pauseMs: 0 }));
    const text = await (await fetch(`http://127.0.0.1:${ready.metricsPort}/metrics`)).text();
    expect(text).toContain('sublace_shards_done_total{phase="accumulate",role="coordinator"} 8');
    expect(Number(/sublace_pulled_bytes_total\{.*\} (\d+)/.exec(text)?.[1])).toBeGreaterThan(0);
  });
});
