import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProgressEvent } from '@sublace/protocol';
import { Cluster, type RoleProcess } from './distribution/cluster.ts';

const SHARDS = 8;
const references = new Map<number, string>();
let cluster: Cluster;

beforeEach(() => {
  cluster = new Cluster();
});

afterEach(() => cluster.dispose());

/** Checks that a fit has ended well and was published whole, and gives its digest. */
function published(last: ProgressEvent): string {
  expect([last.state, last.failure]).toEqual(['succeeded', undefined]);
  const digest = createHash('sha256')
    .update(readFileSync(join(cluster.output, 'sums.bin')))
    .digest('hex');
  expect(last.result?.digest).toBe(digest);
  return digest;
}

/** The digest of an undisturbed fit that the coordinator sums itself. */
async function reference(subnetworkSize = 50): Promise<string> {
  const known = references.get(subnetworkSize);
  if (known !== undefined) return known;
  const alone = new Cluster();
  try {
    await alone.startCoordinator();
    await alone.startWorkers(1);
    const last = await alone.finish(await alone.submit({ pauseMs: 0, subnetworkSize }));
    references.set(subnetworkSize, last.result?.digest as string);
    return last.result?.digest as string;
  } finally {
    await alone.dispose();
  }
}

/** A coordinator that sums by reducers, with them and two workers. */
async function start(reducerCount: number, ...args: string[]): Promise<void> {
  await cluster.startCoordinator('--reducers', String(reducerCount), '--checkpoints', cluster.checkpoints, ...args);
  await cluster.startWorkers(2);
  await cluster.startReducers(reducerCount, '--checkpoint-interval-ms', '200');
}

function count(log: string, pattern: RegExp): number {
  return log.match(new RegExp(pattern, 'g'))?.length ?? 0;
}

/** Leases of a phase that a coordinator gave. */
function leases(phase: string, coordinator: RoleProcess = cluster.coordinator): number {
  return count(coordinator.log(), new RegExp(`"${phase} shard \\d+ is leased`));
}

/** Shards that were summed and lost, by the coordinator's log. */
function lostShards(): number {
  const lines = cluster.coordinator.log().matchAll(/lost (\d+) shards? that was summed/g);
  return [...lines].reduce((sum, [, shards]) => sum + Number(shards), 0);
}

/** Shards of a phase that are whole in the checkpoint of a holder; the fits here have fewer than 32. */
function checkpointed(jobId: string, holder: string, phase: string): number {
  const path = join(cluster.checkpoints, jobId, holder, 'manifest');
  if (!existsSync(path)) return 0;
  const { frame, shardSets, blocks } = JSON.parse(readFileSync(path, 'utf8').split('\n')[1]) as {
    frame: { expected: Record<string, string[] | undefined> };
    shardSets: string[];
    blocks: { name: string; shards: number }[];
  };
  const sets = (frame.expected[phase] ?? []).map((name) => {
    const block = blocks.find((each) => each.name === name);
    return block ? Buffer.from(shardSets[block.shards], 'base64').readUInt32LE() : 0;
  });
  const whole = sets.reduce((both, set) => both & set, sets.length > 0 ? ~0 : 0) >>> 0;
  return whole.toString(2).replaceAll('0', '').length;
}

async function untilCheckpointed(jobId: string, holders: readonly string[], phase: string, shardCount: number): Promise<void> {
  const least = (): number => Math.min(...holders.map((holder) => checkpointed(jobId, holder, phase)));
  await vi.waitFor(() => expect(least()).toBeGreaterThanOrEqual(shardCount), { timeout: 30_000, interval: 20 });
}

describe('a fit with reducers', () => {
  it.each([1, 2, 4])('gives the same bits with %d of them as with the coordinator alone', async (reducerCount) => {
    await start(reducerCount);
    expect(published(await cluster.finish(await cluster.submit()))).toBe(await reference());
    expect(leases('accumulate')).toBe(SHARDS);
    // Nothing is kept of a job that is over.
    await vi.waitFor(() => expect(existsSync(cluster.checkpoints) ? filesUnder(cluster.checkpoints) : []).toEqual([]), 5000);
  });

  it('waits for those that are missing, and says so', async () => {
    await cluster.startCoordinator('--reducers', '2');
    await cluster.startWorkers(1);
    const jobId = await cluster.submit({ pauseMs: 0 });
    const waiting = await cluster.until(jobId, (event) => event.phase === 'select' && event.waitsFor !== '');
    expect(waiting.waitsFor).toContain('2 of 2 reducers');
    await cluster.startReducers(1);
    await vi.waitFor(async () => expect((await cluster.client.listJobs())[0].waitsFor).toContain('1 of 2 reducers'), 5000);
    expect(leases('accumulate')).toBe(0);
    await cluster.startReducers(1);
    expect(published(await cluster.finish(jobId))).toBe(await reference());
  });

  it('refuses reducers that the coordinator does not want', async () => {
    await cluster.startCoordinator();
    const [reducer] = await cluster.startReducers(1);
    expect(await reducer.exit).toEqual({ status: 42, signal: null });
    expect(reducer.log()).toContain('sublace: reducer: expected a coordinator with --reducers');
  });

  it('fails loudly when its sums leave their range', async () => {
    await start(2);
    const last = await cluster.finish(await cluster.submit({ pauseMs: 0, fault: { phase: 'select', shard: 0, kind: 'overflow' } }));
    expect(last).toMatchObject({ state: 'failed', failure: { code: 'SUM_OVERFLOW', phase: 'accumulate' } });
    expect(cluster.outputs()).toEqual([]);
  });
});

describe('a reducer that is killed (kill -9)', () => {
  it('in accumulate is replaced by one that goes on from its checkpoint; what that lacks is computed again, and no more', async () => {
    await start(2);
    const jobId = await cluster.submit({ pauseMs: 150 });
    await untilCheckpointed(jobId, ['reducer-1-of-2'], 'accumulate', 3);
    cluster.reducers[1].child.kill('SIGKILL');
    await cluster.reducers[1].exit;
    const [successor] = await cluster.startReducers(1);
    expect(published(await cluster.finish(jobId))).toBe(await reference());
    expect(leases('accumulate')).toBe(SHARDS + lostShards());
    expect(lostShards()).toBeLessThanOrEqual(SHARDS - 3);
    expect(leases('score')).toBe(SHARDS);
    expect(successor.log()).toContain('is restored');
  });

  it('without a checkpoint loses its shards and nothing else', async () => {
    await cluster.startCoordinator('--reducers', '2');
    await cluster.startWorkers(2);
    await cluster.startReducers(1);
    await cluster.start('reducer', ['--coordinator', cluster.coordinator.ready.address]);
    const victim = cluster.processes.at(-1)!;
    const jobId = await cluster.submit({ pauseMs: 100 });
    await cluster.until(jobId, (event) => event.phase === 'accumulate' && event.shardsDone >= 3);
    victim.child.kill('SIGKILL');
    await victim.exit;
    await cluster.start('reducer', ['--coordinator', cluster.coordinator.ready.address]);
    expect(published(await cluster.finish(jobId))).toBe(await reference());
    expect(lostShards()).toBeGreaterThanOrEqual(3);
    expect(leases('accumulate')).toBe(SHARDS + lostShards());
  });

  it('in finalise makes that task start again', async () => {
    await start(2);
    const size = 220;
    const jobId = await cluster.submit({ pauseMs: 50, subnetworkSize: size });
    let isKilled = false;
    const last = await cluster.finish(jobId, (event) => {
      if (isKilled || !event.message.startsWith('finalise starts')) return;
      isKilled = true;
      cluster.reducers[0].child.kill('SIGKILL');
      void cluster.startReducers(1);
    });
    expect(isKilled).toBe(true);
    expect(published(last)).toBe(await reference(size));
    expect(leases('accumulate')).toBe(SHARDS + lostShards());
    expect(leases('score')).toBe(SHARDS);
  });
});

describe('a reducer that is stopped (SIGSTOP) past its deadline', () => {
  it('and goes on again has lost nothing', async () => {
    await start(2);
    const jobId = await cluster.submit({ pauseMs: 100 });
    await cluster.until(jobId, (event) => event.phase === 'accumulate' && event.shardsDone >= 2);
    cluster.reducers[0].child.kill('SIGSTOP');
    await vi.waitFor(() => expect(cluster.coordinator.log()).toMatch(/reducer 0 of 2 is lost: it does not answer/), 15_000);
    cluster.reducers[0].child.kill('SIGCONT');
    expect(published(await cluster.finish(jobId))).toBe(await reference());
    expect(leases('accumulate')).toBe(SHARDS);
  });

  it('and was replaced meanwhile ends up without a slot, and in nobody’s way', async () => {
    await start(2);
    const jobId = await cluster.submit({ pauseMs: 100 });
    await cluster.until(jobId, (event) => event.phase === 'accumulate' && event.shardsDone >= 2);
    const [zombie] = cluster.reducers;
    zombie.child.kill('SIGSTOP');
    await vi.waitFor(() => expect(cluster.coordinator.log()).toMatch(/reducer 0 of 2 is lost/), 15_000);
    await cluster.startReducers(1, '--checkpoint-interval-ms', '200');
    await vi.waitFor(() => expect(count(cluster.coordinator.log(), /"reducer 0 of 2 is \S+ at/)).toBe(2), 5000);
    zombie.child.kill('SIGCONT');
    expect(published(await cluster.finish(jobId))).toBe(await reference());
    expect(leases('accumulate')).toBe(SHARDS + lostShards());
  });
});

describe('a reducer that is asked to leave (SIGTERM)', () => {
  it('writes a checkpoint and ends with 0; its successor lacks nothing', async () => {
    await cluster.startCoordinator('--reducers', '2');
    await cluster.startWorkers(2);
    // Long intervals: what is restored was written at the end.
    await cluster.startReducers(2, '--checkpoint-interval-ms', '3600000');
    const jobId = await cluster.submit({ pauseMs: 100 });
    await cluster.until(jobId, (event) => event.phase === 'accumulate' && event.shardsDone >= 3);
    cluster.reducers[0].child.kill('SIGTERM');
    expect(await cluster.reducers[0].exit).toEqual({ status: 0, signal: null });
    const [successor] = await cluster.startReducers(1);
    expect(published(await cluster.finish(jobId))).toBe(await reference());
    expect(leases('accumulate')).toBe(SHARDS);
    expect(successor.log()).toContain('is restored');
  });
});

describe.each([0, 2])('a coordinator that is killed (kill -9) and started again, with %d reducers', (reducerCount) => {
  it.each(['score', 'accumulate'])('in %s goes on from what was committed', async (phase) => {
    const state = ['--state-dir', join(cluster.folder, 'state'), '--checkpoint-interval-ms', '100'];
    await start(reducerCount, ...state);
    const jobId = await cluster.submit({ pauseMs: 200 });
    const holders = phase === 'score' || reducerCount === 0 ? ['coordinator'] : ['reducer-0-of-2', 'reducer-1-of-2'];
    await untilCheckpointed(jobId, holders, phase, 3);
    const restarted = await restart(reducerCount, ...state);
    expect(published(await cluster.finish(jobId))).toBe(await reference());
    expect(leases('plan', restarted)).toBe(0);
    expect(leases(phase, restarted)).toBeLessThanOrEqual(SHARDS - 3);
    if (phase === 'accumulate') expect(leases('score', restarted)).toBe(0);
  });

  it('computes again what was done after the last checkpoint', async () => {
    const state = ['--state-dir', join(cluster.folder, 'state'), '--checkpoint-interval-ms', '3600000'];
    await cluster.startCoordinator('--reducers', String(reducerCount), '--checkpoints', cluster.checkpoints, ...state);
    await cluster.startWorkers(2);
    await cluster.startReducers(reducerCount);
    const jobId = await cluster.submit({ pauseMs: 150 });
    await cluster.until(jobId, (event) => event.phase === 'accumulate' && event.shardsDone >= 3);
    await untilCheckpointed(jobId, ['coordinator'], 'select', 1);
    for (const { child } of cluster.reducers) child.kill('SIGKILL');
    const restarted = await restart(reducerCount, ...state);
    await cluster.startReducers(reducerCount);
    expect(published(await cluster.finish(jobId))).toBe(await reference());
    expect(['plan', 'score', 'select', 'accumulate'].map((phase) => leases(phase, restarted))).toEqual([0, 0, 0, SHARDS]);
  });

  it('in finalise computes nothing again', async () => {
    const state = ['--state-dir', join(cluster.folder, 'state')];
    await start(reducerCount, ...state);
    const jobId = await cluster.submit({ pauseMs: 400 });
    await cluster.until(jobId, (event) => event.message.startsWith('finalise shard 0 is leased'));
    await untilCheckpointed(jobId, reducerCount === 0 ? ['coordinator'] : ['reducer-0-of-2', 'reducer-1-of-2'], 'accumulate', SHARDS);
    const restarted = await restart(reducerCount, ...state);
    expect(published(await cluster.finish(jobId))).toBe(await reference());
    expect(['plan', 'score', 'select', 'accumulate'].map((phase) => leases(phase, restarted))).toEqual([0, 0, 0, 0]);
  });
});

async function restart(reducerCount: number, ...args: string[]): Promise<RoleProcess> {
  const { child, ready } = cluster.coordinator;
  child.kill('SIGKILL');
  await cluster.coordinator.exit;
  const port = ready.address.split(':')[1];
  const options = ['--reducers', String(reducerCount), '--checkpoints', cluster.checkpoints, '--port', port];
  return cluster.startCoordinator(...options, ...args);
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []));
}
