import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openObjectStore } from '@sublace/artifact-store';
import type { JobSums } from './job-sums.ts';
import { keysOf } from './testdata/keys-of.ts';
import { SumsOfJobs, type CheckpointNote, type SumsOfJobsOptions } from './sums-of-jobs.ts';

let folder: string;
const opened: SumsOfJobs[] = [];
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'sums-'))));
afterEach(async () => {
  for (const each of opened.splice(0)) each.stop();
  await rm(folder, { recursive: true, force: true });
});

function openJobs(notes: CheckpointNote[] = [], more: Partial<SumsOfJobsOptions> = {}): SumsOfJobs {
  const checkpoints = openObjectStore(folder);
  const jobs = new SumsOfJobs({ checkpoints, holder: 'coordinator', intervalMs: 3_600_000, onNote: (note) => notes.push(note), ...more });
  opened.push(jobs);
  return jobs;
}

function addScore(sums: JobSums, shard: number): void {
  sums.missing('score', shard, ['score/a/0']);
  sums.commit('score', shard, { name: 'score/a/0', shape: [1], data: Float32Array.of(1) });
}

describe('SumsOfJobs', () => {
  it('gives back what was written, to another process', async () => {
    const jobs = openJobs();
    addScore(jobs.open('job-1'), 3);
    await jobs.checkpoint('job-1');
    const after = openJobs();
    expect((await after.restore('job-1')).wholeShards('score', 8)).toEqual([3]);
    expect(after.jobIds).toEqual(['job-1']);
    // The same one for all that ask.
    expect(await after.restore('job-1')).toBe(after.find('job-1'));
    expect((await after.restore('job-2')).wholeShards('score', 8)).toEqual([]);
  });

  it('tells of a damaged checkpoint, removes it, and starts with nothing', async () => {
    const jobs = openJobs();
    addScore(jobs.open('job-1'), 3);
    await jobs.checkpoint('job-1');
    const blocks = join(folder, 'job-1', 'coordinator', 'blocks');
    await writeFile(join(blocks, (await readdir(blocks))[0]), 'something else');
    const notes: CheckpointNote[] = [];
    const sums = await openJobs(notes).restore('job-1');
    expect(sums.wholeShards('score', 8)).toEqual([]);
    expect(notes).toEqual([expect.objectContaining({ jobId: 'job-1', what: 'refused' })]);
    expect(notes[0].error).toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(await keysOf(openObjectStore(folder))).toEqual([]);
  });

  it('writes on its timer, and nothing when nothing has changed', async () => {
    const notes: CheckpointNote[] = [];
    const jobs = openJobs(notes, { intervalMs: 20 });
    addScore(jobs.open('job-1'), 0);
    await vi.waitFor(() => expect(notes).toEqual([expect.objectContaining({ what: 'written', bytes: 17 })]), 10_000);
    expect(await jobs.checkpoint('job-1')).toBe(0);
  });

  it('removes what every holder has of a job that is over, or its own', async () => {
    const [jobs, reducer] = [openJobs(), openJobs([], { holder: 'reducer-0-of-1' })];
    for (const each of [jobs, reducer]) {
      addScore(each.open('job-1'), 0);
      addScore(each.open('job-10'), 0);
      await each.checkpointAll();
    }
    const held = async (): Promise<string[]> => {
      const keys = await keysOf(openObjectStore(folder));
      return [...new Set(keys.map((key) => key.split('/').slice(0, 2).join('/')))].sort();
    };
    await reducer.close('job-10', 'own');
    expect(await held()).toEqual(['job-1/coordinator', 'job-1/reducer-0-of-1', 'job-10/coordinator']);
    await jobs.close('job-1', 'all');
    expect(await held()).toEqual(['job-10/coordinator']);
    expect(jobs.jobIds).toEqual(['job-10']);
  });

  it('holds sums without any place for checkpoints, too', async () => {
    const jobs = openJobs([], { checkpoints: undefined });
    addScore(await jobs.restore('job-1'), 0);
    expect(await jobs.checkpoint('job-1')).toBe(0);
    expect(jobs.heldBytes).toBe(17);
    await jobs.close('job-1', 'all');
    expect(jobs.find('job-1')).toBeUndefined();
  });
});
