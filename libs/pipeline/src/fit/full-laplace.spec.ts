import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { loadDataset, normaliseInputs, normaliseTargets, type Dataset } from '@sublace/data';
import { categoricalHessian, diagonalMatrix, flat, FLOAT32_SOLVE, inverse, logAbsoluteDeterminant, naiveGgn, naiveOutputCovariance, naiveSoftmax, sum, type Matrix } from '@sublace/testing'; // prettier-ignore
import { beforeAll, describe, expect, it } from 'vitest';
import { openPosterior, type FittedModel } from '../index.ts';
import { fitInProcess, type FitRun } from '../testdata/fit-in-process.ts';
import { curveProblem, linearise, tableProblem, temporaryFolder, twinOf } from '../testdata/small-problems.ts';

const folder = temporaryFolder();

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** Every weight is in the subnetwork, so the posterior is full linearised Laplace; the twin computes it from Jacobians and inverses of doubles. */
interface FullLaplace {
  readonly run: FitRun;
  readonly fitted: FittedModel;
  readonly data: Dataset;
  readonly outputs: number[][];
  readonly jacobians: Matrix[];
  readonly mapValues: number[];
}

async function fullLaplace(problem: { model: string; data: string }, name: string, priorPrecision: number): Promise<FullLaplace> {
  const output = join(folder, name);
  const run = await fitInProcess({
    ...problem,
    output,
    subnetwork: 'names:*',
    keepDead: true,
    validation: 'none',
    priorPrecision,
    shardSize: 40,
  });
  const fitted = await openPosterior(output);
  const { likelihood, normalisation } = fitted.manifest;
  const data = await loadDataset(problem.data, { split: 'train', likelihood });
  const twin = twinOf(fitted.network);
  const mapValues = twin.layers.flatMap((layer) => layer.weights.flatMap((weight) => weight.values));
  return { run, fitted, data, mapValues, ...linearise(twin, normaliseInputs(data.inputs, normalisation)) };
}

function naiveEvidence(logLikelihood: number, ggn: Matrix, prior: number, mapValues: number[]): number {
  const precision = sum(ggn, diagonalMatrix(ggn.map(() => prior)));
  const logDetRatio = logAbsoluteDeterminant(precision) - ggn.length * Math.log(prior);
  return logLikelihood - 0.5 * (logDetRatio + prior * mapValues.reduce((total, w) => total + w * w, 0));
}

describe('a fit of every weight of a classifier', () => {
  let full: FullLaplace;
  let ggn: Matrix;
  const prior = 2;

  beforeAll(async () => {
    full = await fullLaplace(await tableProblem(join(folder, 'table')), 'table-posterior', prior);
    ggn = naiveGgn(full.jacobians, full.outputs.map(categoricalHessian));
  });

  it('plans shards, selects all weights and sums their GGN', () => {
    const { run } = full;
    expect(run.plan).toMatchObject({
      exampleCount: 90,
      parameterCount: 35,
      outputCount: 3,
      likelihood: 'classification',
      noiseVariance: null,
      validationCount: 0,
    });
    expect(run.plan.shards).toEqual([{ start: 0, count: 40 }, { start: 40, count: 40 }, { start: 80, count: 10 }]); // prettier-ignore
    expect([...run.indices]).toEqual(Array.from({ length: 35 }, (_, i) => i));
    expect(run.ggn).toBeAllclose(flat(ggn));
    expect(run.selection.maxDiagonal).toBeCloseTo(Math.max(...ggn.map((row, i) => row[i])), 2);
  });

  it('has the covariance, the evidence and the effective dimension of full Laplace', () => {
    const { posterior, manifest } = full.fitted;
    const covariance = inverse(sum(ggn, diagonalMatrix(ggn.map(() => prior))));
    expect(posterior.covariance()).toBeAllclose(flat(covariance), FLOAT32_SOLVE);
    expect(posterior.mapValues).toBeAllclose(full.mapValues, { relative: 0, scaled: 0 }); // the same float32 numbers
    const { targets } = full.data;
    const logLikelihood = full.outputs.reduce(
      (total, f, n) => total + Math.log(naiveSoftmax(f)[targets.kind === 'labels' ? targets.labels[n] : -1]),
      0,
    );
    expect(manifest.logLikelihood / logLikelihood).toBeCloseTo(1, 5);
    expect(manifest.logMarginalLikelihood / naiveEvidence(logLikelihood, ggn, prior, full.mapValues)).toBeCloseTo(1, 5);
    const dimension = covariance.reduce((total, row, i) => total + 1 - prior * row[i], 0);
    expect(manifest.effectiveDimension).toBeCloseTo(dimension, 3);
  });

  it('predicts with probit of J Sigma J-transposed', () => {
    const { fitted, data, outputs, jacobians } = full;
    const count = 12;
    const inputs = data.inputs.slice(0, count * 4);
    const [probabilities, variance, entropy, logits, map] = fitted.predict(inputs, count, {
      outputs: ['probabilities', 'logit_variance', 'entropy', 'logits', 'map_probabilities'],
    });
    const expected = Array.from({ length: count }, (_, n) => {
      const covariance = naiveOutputCovariance(jacobians[n], ggn, prior);
      const v = covariance.map((row, c) => row[c]);
      return { v, p: naiveSoftmax(outputs[n].map((f, c) => f / Math.sqrt(1 + (Math.PI / 8) * v[c]))) };
    });
    expect(variance.data).toBeAllclose(expected.flatMap(({ v }) => v), FLOAT32_SOLVE); // prettier-ignore
    expect(probabilities.data).toBeAllclose(expected.flatMap(({ p }) => p), FLOAT32_SOLVE); // prettier-ignore
    expect(entropy.data).toBeAllclose(expected.map(({ p }) => p.reduce((total, q) => total - q * Math.log(q), 0)), FLOAT32_SOLVE); // prettier-ignore
    expect(logits.data).toBeAllclose(outputs.slice(0, count).flat());
    expect(map.data).toBeAllclose(outputs.slice(0, count).flatMap((f) => naiveSoftmax(f)));
    expect([probabilities.shape, entropy.shape]).toEqual([[count, 3], [count]]);

    const joint = fitted.outputs(inputs, count, true);
    expect(joint.variance).toBeAllclose(variance.data);
    expect(joint.covariance).toBeAllclose(jacobians.slice(0, count).flatMap((j) => naiveOutputCovariance(j, ggn, prior)).flat(), FLOAT32_SOLVE); // prettier-ignore
  });

  it('refuses to predict what it does not know', () => {
    const { fitted } = full;
    expect(() => fitted.predict(new Float32Array(7), 2)).toThrow('predict: expected 2 inputs of [4], got 7 values');
    expect(() => fitted.predict(new Float32Array(4), 1, { outputs: ['mean'] })).toThrow(
      "outputs: expected probabilities, logit_variance, entropy, logits, map_probabilities for classification, got 'mean'",
    );
    expect(() => fitted.predict(new Float32Array(4), 1, { link: 'logit' as never })).toThrow(
      "link: expected probit, bridge, bridge-normalised, monte-carlo, got 'logit'",
    );
  });
});

describe('a fit of every weight of a regression', () => {
  it('is full Laplace in normalised units, and predicts in raw ones', async () => {
    const prior = 0.5;
    const { run, fitted, data, outputs, jacobians, mapValues } = await fullLaplace(
      await curveProblem(join(folder, 'curve')),
      'curve-posterior',
      prior,
    );
    const { manifest } = fitted;
    const noise = run.plan.noiseVariance ?? Number.NaN;
    const ggn = naiveGgn(jacobians, outputs.map(() => [[1 / noise]])); // prettier-ignore
    expect(run.ggn).toBeAllclose(flat(ggn));
    const y = normaliseTargets(data.targets.kind === 'values' ? data.targets.values : new Float32Array(), manifest.normalisation);
    const logLikelihood = outputs.reduce((total, [f], n) => total - 0.5 * ((y[n] - f) ** 2 / noise + Math.log(2 * Math.PI * noise)), 0);
    expect(manifest.logMarginalLikelihood / naiveEvidence(logLikelihood, ggn, prior, mapValues)).toBeCloseTo(1, 4);

    const [[targetMean], [targetStd]] = [manifest.normalisation.targetMean ?? [], manifest.normalisation.targetStd ?? []];
    const [mean, variance, noiseVariance, std] = fitted.predict(data.inputs, data.count, {
      outputs: ['mean', 'variance', 'noise_variance', 'std'],
    });
    expect(mean.data).toBeAllclose(outputs.map(([f]) => f * targetStd + targetMean));
    const expected = jacobians.map((j) => naiveOutputCovariance(j, ggn, prior)[0][0] * targetStd ** 2);
    expect(variance.data).toBeAllclose(expected, FLOAT32_SOLVE);
    expect(noiseVariance.data[0]).toBeCloseTo(noise * targetStd ** 2, 10);
    expect(std.data).toBeAllclose(expected.map((v) => Math.sqrt(v + noise * targetStd ** 2)), FLOAT32_SOLVE); // prettier-ignore
  });
});
