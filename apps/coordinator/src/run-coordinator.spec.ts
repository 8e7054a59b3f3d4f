import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeFile, publishDirectory, stageDirectory, writeManifest } from '@sublace/artifact-store';
import { openEmbeddedJobStore, type JobStore } from '@sublace/job-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCoordinator } from './run-coordinator.ts';

let root: string;
beforeEach(async () => void (root = await mkdtemp(join(tmpdir(), 'run-coordinator-'))));
afterEach(() => rm(root, { recursive: true, force: true }));

const limits = { leaseDurationMs: 60_000, attemptsMax: 3, reducers: 0, checkpointIntervalMs: 60_000, stuckAfterMs: 60_000 };

function openStore(): JobStore {
  return openEmbeddedJobStore({ folder: root, ...limits });
}

describe('a coordinator that was killed after publishing, before noting it', () => {
  it.each([
    ['finds the posterior in its place and is done', 'tiles', { state: 'succeeded', phase: 'finalise' }],
    ['starts again when what is there is another posterior', 'other', { state: 'running', phase: 'score' }],
  ])('%s', async (_, reported, expected) => {
    const output = join(root, 'posterior');
    const staging = await stageDirectory(output);
    await writeFile(join(staging, 'tiles.bin'), 'tiles');
    const files = [await describeFile(join(staging, 'tiles.bin'))];
    await writeManifest(staging, { formatVersion: 1, kind: 'posterior', digest: 'tiles', files });
    await publishDirectory(staging, output);

    const before = openStore();
    const jobId = await before.submitJob({ output, overwrite: true });
    const summary = { digest: reported, files: files.map((file) => ({ ...file })) };
    for (let lease = await before.claimShard('w'); lease; lease = await before.claimShard('w')) {
      await before.offerTiles(lease);
      const plan = { shards: [{ start: 0, count: 1 }] };
      await before.completeShard(lease, lease.phase === 'plan' ? plan : lease.phase === 'finalise' ? summary : {});
    }
    expect((await before.getJob(jobId)).state).toBe('reducing');
    await before.close();

    const options = { ...limits, host: '127.0.0.1', port: 0, logLevel: 'silent' as const, security: {} };
    const coordinator = await runCoordinator({ ...options, stateDir: root });
    await coordinator.stop();
    const after = openStore();
    const { state, phase } = await after.getJob(jobId);
    await after.close();
    expect({ state, phase }).toEqual(expected);
  });
});
