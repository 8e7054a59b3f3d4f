import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { FLOAT32_SOLVE } from '@sublace/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { openPosterior, truncatePosterior, type PosteriorManifest } from '../index.ts';
import { fitInProcess } from '../testdata/fit-in-process.ts';
import { pairProblem, tableProblem, temporaryFolder, type SmallProblem } from '../testdata/small-problems.ts';

const folder = temporaryFolder();
let table: { problem: SmallProblem; fit: string };
let pair: { problem: SmallProblem; fit: string };

beforeAll(async () => {
  await startBackend({ threads: 1 });
  const fitOf = async (problem: SmallProblem, name: string): Promise<{ problem: SmallProblem; fit: string }> => {
    const run = await fitInProcess({ ...problem, subnetwork: 'names:*', priorPrecision: 2, output: join(folder, name) });
    return { problem, fit: run.folder };
  };
  table = await fitOf(await tableProblem(join(folder, 'table')), 'table fit');
  pair = await fitOf(await pairProblem(join(folder, 'pair')), 'pair fit');
});

describe('truncatePosterior', () => {
  it('measures the errors that predictions by the truncated covariance then have', async () => {
    const output = join(folder, 'rank 6');
    const manifest = await truncatePosterior(table.fit, output, { data: table.problem.data, choice: { rank: 6 }, count: 40 });
    const [exact, truncated] = [await openPosterior(output), await openPosterior(output, { covariance: 'truncated' })];
    expect([exact.covariancePath, truncated.covariancePath]).toEqual(['exact', 'truncated']);
    expect([exact.truncation, truncated.truncation]).toEqual([undefined, manifest.truncation]);
    expect(manifest.digest).toBe((await openPosterior(table.fit)).manifest.digest);
    const lines = readFileSync(table.problem.data, 'utf8').trim().split('\n').slice(1, 41);
    const inputs = Float32Array.from(lines.flatMap((line) => line.split(',').slice(0, 4).map(Number)));
    const [right, got] = [exact, truncated].map((each) => each.predict(inputs, 40, { outputs: ['logit_variance', 'probabilities'] }));
    const relative = Array.from(right[0].data, (value, i) => (got[0].data[i] - value) / value);
    expect(Math.min(...relative)).toBeGreaterThan(-1e-4); // never too small, up to rounding
    const { rank, varianceError, probabilityError, cancellation, heldOut, eigenvalues } = manifest.truncation!;
    expect([rank, heldOut]).toEqual([6, { data: table.problem.data, count: 40 }]);
    expect(varianceError.max / Math.max(...relative)).toBeCloseTo(1, 2);
    expect(varianceError.max).toBeGreaterThan(0.01);
    expect(varianceError.mean).toBeLessThan(varianceError.p99);
    const absolute = Array.from(right[1].data, (value, i) => Math.abs(got[1].data[i] - value));
    expect(probabilityError!.max / Math.max(...absolute)).toBeCloseTo(1, 2);
    expect(cancellation).toBeGreaterThan(1);
    expect(eigenvalues.largest).toBeGreaterThan(eigenvalues.smallest);
    // Once prepared it says the same.
    await truncated.prepare({ batchMax: 2 });
    expect(truncated.predict(inputs, 40, { outputs: ['logit_variance'] })[0].data).toBeAllclose(got[0].data, FLOAT32_SOLVE);
    // What needs the whole posterior still has it.
    expect(truncated.logProbability(truncated.sampleWeights(1, 3))).toBeAllclose(exact.logProbability(exact.sampleWeights(1, 3)));
    exact.dispose();
    truncated.dispose();
  });

  it('is exact at full rank, keeps what a tolerance asks for, and can be done again', async () => {
    const options = { data: table.problem.data, count: 500 };
    const whole = await truncatePosterior(table.fit, join(folder, 'whole'), { ...options, choice: { rank: 35 } });
    expect(whole.truncation!.varianceError.max).toBeLessThan(1e-4);
    expect(whole.truncation!.heldOut.count).toBe(90);
    const near = await truncatePosterior(join(folder, 'whole'), join(folder, 'near'), { ...options, choice: { tolerance: 0.05 } });
    expect(near.truncation!.rank).toBeLessThan(35);
    expect(near.truncation!.eigenvalues.smallest).toBeGreaterThanOrEqual(0.05);
    expect(near.truncation!.varianceError.max).toBeLessThan(0.05);
    expect(near.files.filter(({ name }) => name.startsWith('eigenbasis'))).toHaveLength(1);
  });

  it('has no probabilities to speak of for a regression', async () => {
    const { truncation } = await truncatePosterior(pair.fit, join(folder, 'regression'), {
      data: pair.problem.data,
      choice: { rank: 3 },
      count: 20,
    });
    expect(truncation!.probabilityError).toBeUndefined();
    expect(truncation!.varianceError.max).toBeGreaterThan(0);
  });

  it('refuses what cannot be', async () => {
    const options = { data: table.problem.data, count: 10 };
    await expect(openPosterior(table.fit, { covariance: 'truncated' })).rejects.toThrow(
      "expected a posterior with an eigenbasis for the truncated covariance, got one without; make it by 'sublace truncate'",
    );
    await expect(truncatePosterior(table.fit, join(folder, 'x'), { ...options, choice: { rank: 36 } })).rejects.toThrow(
      'rank: expected a number from 1 to 35',
    );
    await expect(truncatePosterior(table.fit, join(folder, 'x'), { data: pair.problem.data, count: 1, choice: { rank: 2 } })).rejects.toMatchObject({ code: 'DATA_INVALID' }); // prettier-ignore
    const output = join(folder, 'damaged');
    await truncatePosterior(table.fit, output, { ...options, choice: { rank: 2 } });
    const path = join(output, 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as PosteriorManifest;
    writeFileSync(path, JSON.stringify({ ...manifest, truncation: { ...manifest.truncation, rank: 3 } }));
    await expect(openPosterior(output, { covariance: 'truncated' })).rejects.toThrow(
      'expected eigenvalues [3] and vectors [3, 35], got eigenvalues [2] and vectors [2, 35]',
    );
  });
});
