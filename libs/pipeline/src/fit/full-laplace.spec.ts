import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { normaliseTargets } from '@sublace/data';
import { categoricalHessian, diagonalMatrix, flat, FLOAT32_SOLVE, inverse, naiveGgn, naiveOutputCovariance, naiveSoftmax, STANDARD_ERRORS, sum, type Matrix } from '@sublace/testing'; // prettier-ignore
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { fullLaplace, naiveEvidence, type FullLaplace } from '../testdata/full-laplace.ts';
import { curveProblem, tableProblem, temporaryFolder } from '../testdata/small-problems.ts';

const folder = temporaryFolder();

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

describe('a fit of every weight of a classifier', () => {
  let full: FullLaplace;
  let ggn: Matrix;
  const prior = 2;

  beforeAll(async () => {
    full = await fullLaplace(await tableProblem(join(folder, 'table')), { output: join(folder, 'table-posterior'), priorPrecision: prior });
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

  it('has the joint covariance of several inputs, and draws functions that have it', () => {
    const { fitted, data, outputs, jacobians } = full;
    const [count, draws] = [4, 20_000];
    const inputs = data.inputs.slice(0, count * 4);
    const before = tf.memory().numTensors;
    const [joint, samples, logits] = fitted.predict(inputs, count, {
      outputs: ['joint_covariance', 'samples', 'logits'],
      samples: draws,
      seed: 5,
    });
    expect(tf.memory().numTensors).toBe(before);
    const side = count * 3;
    const stacked = jacobians.slice(0, count).flat(); // [N C, P]
    const covariance = naiveOutputCovariance(stacked, ggn, prior);
    expect([joint.shape, samples.shape]).toEqual([[count, 3, count, 3], [count, draws, 3]]); // prettier-ignore
    expect(joint.data).toBeAllclose(flat(covariance), FLOAT32_SOLVE);
    expect(logits.data).toBeAllclose(outputs.slice(0, count).flat());
    const draw = (k: number, i: number): number => samples.data[(Math.floor(i / 3) * draws + k) * 3 + (i % 3)] - logits.data[i];
    for (let i = 0; i < side; i++) {
      for (let j = 0; j <= i; j++) {
        let total = 0;
        for (let k = 0; k < draws; k++) total += draw(k, i) * draw(k, j);
        const error = Math.sqrt((covariance[i][i] * covariance[j][j] + covariance[i][j] ** 2) / draws);
        expect(Math.abs(total / draws - covariance[i][j])).toBeLessThan(STANDARD_ERRORS * error);
      }
    }
    // The same seed draws the same weights: the functions are theirs.
    const weights = fitted.sampleWeights(3, 5);
    const few = fitted.functionSamples(inputs.subarray(0, 4), 1, { count: 3, seed: 5 });
    const expected = Array.from({ length: 3 }, (_, k) =>
      outputs[0].map((f, c) => f + jacobians[0][c].reduce((sum_, value, i) => sum_ + value * (weights[k * 35 + i] - full.mapValues[i]), 0)),
    );
    expect(few).toBeAllclose(expected.flat(), FLOAT32_SOLVE);
    expect(fitted.logProbability(weights)).toHaveLength(3);
    expect(() => fitted.jointCovariance(new Float32Array(1366 * 4), 1366)).toThrow(
      'joint_covariance: expected at most 1365 inputs of 3 outputs, got 1366',
    );
  });

  it('refuses to predict what it does not know', () => {
    const { fitted } = full;
    expect(() => fitted.predict(new Float32Array(7), 2)).toThrow('predict: expected 2 inputs of [4], got 7 values');
    expect(() => fitted.predict(new Float32Array(4), 1, { outputs: ['mean'] })).toThrow(
      "outputs: expected probabilities, logit_variance, entropy, logits, map_probabilities, mutual_information, logit_covariance, joint_covariance, samples for classification, got 'mean'",
    );
    expect(() => fitted.predict(new Float32Array(4), 1, { link: 'logit' as never })).toThrow(
      "link: expected probit, bridge, bridge-normalised, monte-carlo for classification, got 'logit'",
    );
  });
});

describe('a fit of every weight of a regression', () => {
  it('is full Laplace in normalised units, and predicts in raw ones', async () => {
    const prior = 0.5;
    const { run, fitted, data, outputs, jacobians, mapValues } = await fullLaplace(await curveProblem(join(folder, 'curve')), {
      output: join(folder, 'curve-posterior'),
      priorPrecision: prior,
    });
    const { manifest } = fitted;
    const noise = Number(run.plan.noiseVariance);
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
    const [joint, samples] = fitted.predict(data.inputs.slice(0, 3), 3, { outputs: ['joint_covariance', 'samples'], samples: 2 });
    const covariance = naiveOutputCovariance(jacobians.slice(0, 3).flat(), ggn, prior).flat();
    expect(joint.data).toBeAllclose(covariance.map((value) => value * targetStd ** 2), FLOAT32_SOLVE); // prettier-ignore
    const shift = (samples.data[0] - mean.data[0]) / targetStd;
    const weights = fitted.sampleWeights(1, 0);
    expect(shift).toBeCloseTo(jacobians[0][0].reduce((total, value, i) => total + value * (weights[i] - mapValues[i]), 0), 4); // prettier-ignore
  });
});
