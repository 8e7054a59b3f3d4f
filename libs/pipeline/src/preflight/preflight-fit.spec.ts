import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileFitSpec, preflightFit, type FitPreflight, type FitSpecInput } from '../index.ts';
import { tableProblem, temporaryFolder, type SmallProblem } from '../testdata/small-problems.ts';

const folder = temporaryFolder();
const output = join(folder, 'never');
let problem: SmallProblem;

beforeAll(async () => {
  await startBackend({ threads: 1 });
  problem = await tableProblem(folder);
});

const preflight = (extra: Partial<FitSpecInput> = {}, workerCount = 2): Promise<FitPreflight> =>
  preflightFit(compileFitSpec({ ...problem, subnetwork: 'gradient-energy:8', output, ...extra }), { workerCount, threads: 1 });

describe('preflightFit', () => {
  it('plans as the fit does, measures every phase, and writes nothing', async () => {
    const { plan, sizes, isSizeGuessed, phases, seconds, memory } = await preflight({ shardSize: 30 });
    expect(plan.shards).toHaveLength(3);
    expect([sizes, isSizeGuessed]).toEqual([[8], false]);
    expect(phases.map(({ phase, tasks }) => `${phase} ${tasks}`)).toEqual(['plan 1', 'score 3', 'select 1', 'accumulate 3', 'finalise 1']);
    expect(phases.every((phase) => phase.seconds > 0)).toBe(true);
    expect(seconds).toBeCloseTo(phases.reduce((sum, phase) => sum + phase.seconds, 0), 12); // prettier-ignore
    expect(memory.peak.bytes).toBeGreaterThan(500e6); // three processes, two of them with the tensor runtime
    expect(existsSync(output)).toBe(false);
  });

  it.each(['last-layer', 'names:*', 'random:3,8,5', 'largest-variance:20'])('takes the rule %s', async (subnetwork) => {
    const { sizes, isSizeGuessed } = await preflight({ subnetwork, priorPrecision: 1 });
    expect(isSizeGuessed).toBe(!subnetwork.includes(':') || subnetwork.startsWith('names'));
    expect(sizes.every((size) => size > 0 && size <= 35)).toBe(true);
  });

  it('refuses what the plan task refuses', async () => {
    await expect(preflight({ subnetwork: 'random:36' })).rejects.toMatchObject({ code: 'SUBNETWORK_INVALID', exitCode: 42 });
    await expect(preflight({ priorPrecision: 'validation', validation: 'none' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('leaves no tensor behind', async () => {
    await preflight();
    const before = tf.memory().numTensors;
    await preflight();
    expect(tf.memory().numTensors).toBe(before);
  });
});
