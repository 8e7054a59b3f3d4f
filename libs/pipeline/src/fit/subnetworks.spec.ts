import { join } from 'node:path';
import { readManifest, verifyFiles } from '@sublace/artifact-store';
import { startBackend } from '@sublace/backend';
import { loadDataset } from '@sublace/data';
import { denseOf } from '@sublace/linalg';
import { FLOAT32_OP } from '@sublace/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { collectModelSwag, openPosterior, SEQUENCE_KIND, type SequenceManifest } from '../index.ts';
import { fitInProcess, type FitRun } from '../testdata/fit-in-process.ts';
import { tableProblem, temporaryFolder, type SmallProblem } from '../testdata/small-problems.ts';

const folder = temporaryFolder();
let problem: SmallProblem;
let fitCount = 0;

beforeAll(async () => {
  await startBackend({ threads: 1 });
  problem = await tableProblem(folder);
  await collectModelSwag({ ...problem, snapshots: 3, batchSize: 8 });
});

const nextFolder = (): string => join(folder, `posterior-${++fitCount}`);

/** Predictive variances of the logits of the training inputs, [N, C]. */
async function variancesOf(run: FitRun): Promise<Float64Array> {
  const fitted = await openPosterior(run.folder);
  const { inputs, count } = await loadDataset(problem.data, { likelihood: 'classification' });
  const { variance } = fitted.outputs(inputs, count);
  fitted.dispose();
  return variance;
}

/** Largest decrease from one array to the next, relative to the largest element. */
function largestDecrease(from: Float64Array, to: Float64Array): number {
  return from.reduce((largest, value, i) => Math.max(largest, value - to[i]), 0) / Math.max(...to);
}

describe('nested subnetworks at a fixed prior', () => {
  it.each(['random', 'largest-magnitude', 'largest-variance', 'swag-variance', 'gradient-energy'])(
    '%s: no predictive variance shrinks as S grows, and none exceeds that of the whole network',
    async (rule) => {
      const fit = (subnetwork: string): Promise<FitRun> =>
        fitInProcess({ ...problem, subnetwork, priorPrecision: 1, output: nextFolder() });
      const runs = [await fit(`${rule}:3`), await fit(`${rule}:9`), await fit(`${rule}:18`), await fit('names:*')];
      for (let i = 1; i < runs.length; i++) {
        const larger = new Set(runs[i].indices);
        expect([...runs[i - 1].indices].every((index) => larger.has(index))).toBe(true);
        const [before, after] = [await variancesOf(runs[i - 1]), await variancesOf(runs[i])];
        expect(largestDecrease(before, after)).toBeLessThan(1e-5); // float32 Jacobians
        expect(after.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(before.reduce((sum, value) => sum + value, 0));
      }
    },
  );
});

describe('a rule of several sizes', () => {
  it.each(['gradient-energy', 'random'])('%s: one job gives for each size the posterior that a job of its own gives', async (rule) => {
    const output = nextFolder();
    const run = await fitInProcess({ ...problem, subnetwork: `${rule}:12,3,9`, priorPrecision: 'validation', output });
    expect(run.selection).toMatchObject({ size: 12, smaller: [{ size: 3 }, { size: 9 }] });
    const sequence = (await readManifest(output, { kind: SEQUENCE_KIND })) as SequenceManifest;
    expect(sequence.posteriors.map(({ folder: name }) => name)).toEqual(['3', '9', '12']);
    await verifyFiles(sequence, output);
    for (const { folder: name, size, digest } of sequence.posteriors) {
      const alone = await fitInProcess({ ...problem, subnetwork: `${rule}:${size}`, priorPrecision: 'validation', output: nextFolder() });
      const [fitted, own] = [await openPosterior(join(output, name)), await openPosterior(alone.folder)];
      expect(fitted.manifest.digest).toBe(digest);
      expect(fitted.manifest.subnetwork).toEqual(own.manifest.subnetwork);
      expect([...fitted.posterior.mapValues]).toEqual([...own.posterior.mapValues]);
      // Up to rounding only: micro-batches, tiles and the quantum of the exact sums depend on the largest size.
      expect(denseOf(fitted.posterior.ggn)).toBeAllclose(denseOf(own.posterior.ggn));
      expect(fitted.manifest.priorPrecision).toBeCloseTo(own.manifest.priorPrecision, 4);
      fitted.dispose();
      own.dispose();
    }
    await expect(openPosterior(output)).rejects.toThrow(
      `${output}: expected one posterior, got a sequence of them; point to one: ${join(output, '3')}, ${join(output, '9')}, ${join(output, '12')}`,
    );
  });
});

describe('shards', () => {
  it('of any size give the same posterior up to rounding, and the same size the same bits', async () => {
    const fit = (shardSize: number): Promise<FitRun> =>
      fitInProcess({ ...problem, subnetwork: 'gradient-energy:12', priorPrecision: 1, shardSize, output: nextFolder() });
    const whole = await fit(0);
    expect(whole.plan.shards).toEqual([{ start: 0, count: 81 }]); // a tenth of the 90 examples is for validation
    const variances = await variancesOf(whole);
    for (const shardSize of [7, 40]) {
      const run = await fit(shardSize);
      expect(run.plan.shards).toHaveLength(Math.ceil(81 / shardSize));
      expect(run.indices).toEqual(whole.indices);
      expect(run.ggn).toBeAllclose(whole.ggn, FLOAT32_OP);
      expect(await variancesOf(run)).toBeAllclose(variances, FLOAT32_OP);
      expect(run.selection.logLikelihood / whole.selection.logLikelihood).toBeCloseTo(1, 6);
      expect((await fit(shardSize)).digest).toBe(run.digest);
    }
  });
});

describe('what a fit depends on', () => {
  it('has another digest for another prior, temperature or subnetwork', async () => {
    const fit = async (extra: object): Promise<string> =>
      (await fitInProcess({ ...problem, subnetwork: 'random:5', priorPrecision: 1, output: nextFolder(), ...extra })).digest;
    const digests = [
      await fit({}),
      await fit({ priorPrecision: 2 }),
      await fit({ temperature: 2 }),
      await fit({ seed: 1 }),
      await fit({ subnetwork: 'random:6' }),
    ];
    expect(new Set(digests).size).toBe(5);
  });

  it('divides the GGN by the temperature: H / 2 + 1 is half of H + 2', async () => {
    const fit = (extra: object): Promise<FitRun> => fitInProcess({ ...problem, subnetwork: 'random:9', output: nextFolder(), ...extra });
    const warm = await fit({ temperature: 2, priorPrecision: 1 });
    const doubled = (await variancesOf(await fit({ priorPrecision: 2 }))).map((value) => 2 * value);
    expect(await variancesOf(warm)).toBeAllclose(doubled);
  });

  it('leaves dead weights out, and says so', async () => {
    const { selection } = await fitInProcess({ ...problem, subnetwork: 'names:*', priorPrecision: 1, output: nextFolder() });
    const kept = await fitInProcess({ ...problem, subnetwork: 'names:*', keepDead: true, priorPrecision: 1, output: nextFolder() });
    expect(selection.report.candidateCount).toBe(35);
    expect(selection.size).toBe(35 - selection.report.deadCount);
    expect(kept.selection.size).toBe(35);
    expect(kept.selection.report.deadSelectedCount).toBe(selection.report.deadCount);
  });
});
