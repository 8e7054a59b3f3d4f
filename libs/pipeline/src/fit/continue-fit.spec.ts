import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { FLOAT32_OP } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { continuedFitSpec, openPosterior, type FittedModel, type PosteriorManifest } from '../index.ts';
import { fitInProcess, fitJob, type FitRun } from '../testdata/fit-in-process.ts';
import { curveProblem, tableProblem, temporaryFolder, type SmallProblem } from '../testdata/small-problems.ts';

const folder = temporaryFolder();
let table: SmallProblem;
let parts: readonly string[];
let first: FitRun;
let count = 0;
const nextFolder = (): string => join(folder, `posterior-${++count}`);

/** Cuts the rows of a table into files. */
function cut(file: string, ...ends: readonly number[]): string[] {
  const [header, ...rows] = readFileSync(file, 'utf8').trim().split('\n');
  return ends.map((end, i) => {
    const part = join(folder, `part-${++count}.csv`);
    writeFileSync(part, [header, ...rows.slice(ends[i - 1] ?? 0, end)].join('\n'));
    return part;
  });
}

/** A posterior's manifest and arrays, after which it is disposed of. */
async function contents(path: string): Promise<{ manifest: PosteriorManifest; covariance: Float64Array; precision: Float64Array }> {
  const fitted: FittedModel = await openPosterior(path);
  const { manifest, posterior } = fitted;
  const result = { manifest, covariance: posterior.covariance(), precision: posterior.precision() };
  fitted.dispose();
  return result;
}

async function continued(from: FitRun, data: string, extra: object = {}): Promise<FitRun> {
  const { manifest } = await contents(from.folder);
  return fitInProcess(continuedFitSpec(from.folder, manifest, { data, output: nextFolder(), ...extra }));
}

beforeAll(async () => {
  await startBackend({ threads: 1 });
  table = await tableProblem(join(folder, 'table'));
  parts = cut(table.data, 30, 60, 90);
  const fit = { ...table, data: parts[0], subnetwork: 'gradient-energy:9', validation: 'none', output: nextFolder() } as const;
  first = await fitInProcess({ ...fit, priorPrecision: 'evidence', priorStructure: 'layer', priorMean: 0.1, temperature: 2 });
});

describe('a fit that is continued', () => {
  it('twice is the fit of all the data, up to rounding', async () => {
    const second = await continued(first, parts[1]);
    const before = tf.memory().numTensors;
    const third = await contents((await continued(second, parts[2], { model: table.model })).folder);
    expect(tf.memory().numTensors).toBe(before);
    const { manifest: start } = await contents(first.folder);
    const indices = join(folder, 'indices.json');
    writeFileSync(indices, JSON.stringify([...first.indices]));
    const prior = join(folder, 'prior.json');
    writeFileSync(prior, JSON.stringify(Object.fromEntries((start.prior.tensors ?? []).map((each) => [`${each.layer}/${each.weight}`, each.priorPrecision])))); // prettier-ignore
    const whole = await fitInProcess({
      ...table,
      subnetwork: `indices:${indices}`,
      keepDead: true,
      validation: 'none',
      priorPrecision: { file: prior },
      priorMean: 0.1,
      temperature: 2,
      output: nextFolder(),
    });
    const expected = await contents(whole.folder);
    expect(third.precision).toBeAllclose(expected.precision, FLOAT32_OP);
    expect(third.covariance).toBeAllclose(expected.covariance, FLOAT32_OP);
    const { manifest } = third;
    expect(manifest.logLikelihood / expected.manifest.logLikelihood).toBeCloseTo(1, 8);
    expect(manifest.logMarginalLikelihood / expected.manifest.logMarginalLikelihood).toBeCloseTo(1, 6);
    expect(manifest.effectiveDimension).toBeCloseTo(expected.manifest.effectiveDimension, 4);
    expect(manifest.data).toMatchObject({ exampleCount: 90, sets: parts.map((spec) => ({ spec, exampleCount: 30 })) });
    expect(manifest.subnetwork).toEqual(start.subnetwork);
    expect(manifest.prior).toMatchObject({ method: 'kept', structure: 'layer', mean: 0.1 });
  });

  it('draws the targets of the Monte Carlo Fisher as a fit of all the data does', async () => {
    const curvature = 'mc-fisher:2';
    const fit = { ...table, subnetwork: 'last-layer', keepDead: true, validation: 'none', priorPrecision: 1, curvature } as const;
    const start = await fitInProcess({ ...fit, data: parts[0], output: nextFolder() });
    const both = await contents((await continued(start, cut(table.data, 30, 90)[1])).folder);
    const whole = await contents((await fitInProcess({ ...fit, output: nextFolder() })).folder);
    expect(both.precision).toBeAllclose(whole.precision, FLOAT32_OP);
  });

  it('adds the GGNs exactly: the stored sum is that of the stored terms', async () => {
    const second = await continued(first, parts[1]);
    const [a, b] = [first.ggn, second.ggn];
    const fitted = await openPosterior(second.folder);
    expect(fitted.posterior.precision()).toEqual(
      a.map((value, i) => (value + b[i]) / 2).map((value, i) => (i % 10 === 0 ? value + fitted.posterior.priorPrecision[i / 10] : value)),
    );
    fitted.dispose();
  });

  it('can choose its prior anew, by the evidence of all the data', async () => {
    const tuned = (await contents((await continued(first, parts[1], { priorPrecision: 'evidence' })).folder)).manifest;
    expect(tuned.prior).toMatchObject({ method: 'evidence', structure: 'scalar' });
    for (const factor of [0.7, 1.4]) {
      const given = await continued(first, parts[1], { priorPrecision: tuned.priorPrecision * factor });
      expect((await contents(given.folder)).manifest.logMarginalLikelihood).toBeLessThan(tuned.logMarginalLikelihood);
    }
  });

  it('keeps the noise of a regression, or finds that of all the data', async () => {
    const problem = await curveProblem(join(folder, 'curve'));
    const fit = { ...problem, subnetwork: 'names:*', validation: 'none' } as const;
    const start = await fitInProcess({ ...fit, data: 'toy-1d?limit=40', priorPrecision: 2, noiseVariance: 0.3, output: nextFolder() });
    const more = 'toy-1d?seed=9';
    const kept = (await contents((await continued(start, more)).folder)).manifest;
    expect(kept.noiseVariance).toBe((await contents(start.folder)).manifest.noiseVariance);
    const tuned = (await contents((await continued(start, more, { priorPrecision: 'evidence', tuneNoise: true })).folder)).manifest;
    expect(tuned.noiseVariance).not.toBe(kept.noiseVariance);
    expect(tuned.logMarginalLikelihood).toBeGreaterThan(kept.logMarginalLikelihood);
  });

  it('refuses data that it has seen, and what does not belong to the posterior, before any work', async () => {
    const { manifest } = await contents(first.folder);
    const plan = (extra: object): Promise<unknown> =>
      fitJob({ ...continuedFitSpec(first.folder, manifest, { data: parts[1], output: nextFolder() }), ...extra }).run({ phase: 'plan' });
    await expect(plan({ data: parts[0] })).rejects.toMatchObject({
      code: 'DATA_INVALID',
      message: expect.stringMatching(
        /^data .*: expected examples that were not fitted yet, got those of '.*' \(digest [0-9a-f]{16}\) again$/,
      ) as string,
    });
    const other = await tableProblem(join(folder, 'other'));
    const weights = readFileSync(join(other.model, 'weights.bin'));
    weights.writeFloatLE(0.125, 0);
    writeFileSync(join(other.model, 'weights.bin'), weights);
    await expect(plan({ model: other.model })).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    await expect(plan({ temperature: 1 })).rejects.toThrow("continue: expected the posterior's temperature 2, got 1");
    await expect(plan({ curvature: 'empirical-fisher' })).rejects.toThrow(
      "continue: expected the posterior's curvature ggn, got empirical-fisher",
    );
    await expect(plan({ noiseVariance: 1 })).rejects.toThrow("continue: expected the posterior's noise variance, got 1; leave it out");
    expect(() => fitJob({ ...table, subnetwork: 'random:5', output: nextFolder(), priorPrecision: 'kept' })).toThrow(
      "priorPrecision 'kept': expected a posterior to continue, got none; use 'auto' or a number",
    );
  });
});
