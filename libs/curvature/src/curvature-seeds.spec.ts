import { startBackend } from '@sublace/backend';
import { bernoulli, categorical, gaussian, heteroscedastic, type Likelihood, type Targets } from '@sublace/likelihoods';
import { flat, matrixOf, naiveSoftmax, product, STANDARD_ERRORS, testRandom, transposed, type Matrix } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  curvatureSeeds,
  DiagonalAccumulator,
  GgnAccumulator,
  jacobianColumns,
  parseCurvature,
  seedRows,
  type CurvatureSeeds,
} from './index.ts';
import { columnsOf, curvatureCase, type CurvatureCase } from './testdata/cases.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** L'L of one example. */
function outerProducts(seeds: Float32Array, outputCount: number): Float64Array {
  const rows = matrixOf(seeds, outputCount);
  return flat(product(transposed(rows), rows));
}

/** GGN over some weights, by the accumulator; examples n, n + 1, ... with their targets. */
function matrixFrom({ network, inputs }: CurvatureCase, curvature: CurvatureSeeds, targets: Targets, indices: Int32Array): Float64Array {
  const accumulator = new GgnAccumulator(indices.length);
  tf.tidy(() => {
    const tape = network.record(inputs);
    const { seeds, rows } = seedRows(curvature, tape.outputs, { targets, firstExample: 0 });
    accumulator.accumulate(jacobianColumns(network, tape, seeds, rows, indices));
  });
  return accumulator.finish()[0].data as Float64Array;
}

const OUTPUTS = Float32Array.of(0.4, -1, 1.5, 0.2);
const LIKELIHOODS: readonly (readonly [string, Likelihood])[] = [
  ['categorical', categorical],
  ['bernoulli', bernoulli],
  ['gaussian', gaussian([0.5, 2, 1, 1])],
  ['heteroscedastic', heteroscedastic],
];

describe.each(LIKELIHOODS)('seeds, %s', (_, likelihood) => {
  const exact = outerProducts(likelihood.squareRootSeeds(OUTPUTS, 4), 4);

  it('of the GGN are the likelihood’s square root, whole or in part', () => {
    const ggn = curvatureSeeds({ kind: 'ggn' }, likelihood);
    const examples = { targets: new Float32Array(4), firstExample: 0 };
    expect(ggn.seedCount(4)).toBe(likelihood.seedCount(4));
    expect(ggn.seeds(OUTPUTS, 4, examples)).toEqual(likelihood.squareRootSeeds(OUTPUTS, 4));
    expect(ggn.seeds(OUTPUTS, 4, examples, 2)).toEqual(likelihood.squareRootSeeds(OUTPUTS, 4, 2));
    expect(ggn.residualTraces?.(OUTPUTS, 4)).toEqual(likelihood.residualTraces(OUTPUTS, 4));
  });

  it('of the Monte Carlo Fisher have the output Hessian as their mean, within standard errors', () => {
    const sampleCount = 20;
    const curvature = curvatureSeeds({ kind: 'mc-fisher', sampleCount }, likelihood, 4);
    const repeats = 200;
    const seeds = curvature.seeds(tiled(OUTPUTS, repeats), 4, { targets: new Float32Array(0), firstExample: 0 });
    expect(seeds.length).toBe(repeats * sampleCount * 4);
    const estimates = Array.from({ length: repeats }, (_row, n) => outerProducts(seeds.subarray(n * 80, (n + 1) * 80), 4));
    exact.forEach((value, i) => {
      const values = estimates.map((estimate) => estimate[i]);
      const mean = values.reduce((a, b) => a + b) / repeats;
      const variance = values.reduce((total, each) => total + (each - mean) ** 2, 0) / (repeats - 1);
      expect(Math.abs(mean - value)).toBeLessThan(STANDARD_ERRORS * Math.sqrt(variance / repeats) + 1e-6);
    });
  });

  it('of the Monte Carlo Fisher depend on seed and position, not on how the examples are batched', () => {
    const curvature = curvatureSeeds({ kind: 'mc-fisher', sampleCount: 3 }, likelihood, 9);
    const at = (firstExample: number, count: number, other = curvature): Float32Array =>
      other.seeds(tiled(OUTPUTS, count), 4, { targets: new Float32Array(0), firstExample });
    const whole = at(10, 5);
    expect([...at(10, 2), ...at(12, 3)]).toEqual([...whole]);
    expect(at(11, 5)).not.toEqual(whole);
    expect(at(10, 5, curvatureSeeds({ kind: 'mc-fisher', sampleCount: 3 }, likelihood, 10))).not.toEqual(whole);
    expect(curvature).not.toHaveProperty('residualTraces');
  });

  it('of the empirical Fisher are the gradients at the targets', () => {
    const curvature = curvatureSeeds({ kind: 'empirical-fisher' }, likelihood);
    const targets =
      likelihood.kind === 'classification' ? Int32Array.of(2) : Float32Array.of(1, 0, 1, 1).subarray(0, likelihood.targetCount(4));
    expect(curvature.seedCount(4)).toBe(1);
    expect(curvature.seeds(OUTPUTS, 4, { targets, firstExample: 0 })).toEqual(likelihood.gradients(OUTPUTS, targets, 4));
  });
});

describe('matrices over weights', () => {
  it('are the sum of gradient outer products for the empirical Fisher, and its diagonal', () => {
    const testCase = curvatureCase('dense, tanh');
    const indices = testRandom(4).subset(12, testCase.network.layout.size);
    const labels = Int32Array.of(1, 0, 3, 2);
    const gradients: Matrix = testCase.examples.map((example, n) => {
      const p = naiveSoftmax(testCase.naive.forward(example));
      return product([p.map((value, c) => (c === labels[n] ? 1 : 0) - value)], testCase.jacobians[n])[0];
    });
    const chosen = columnsOf(gradients, indices);
    const before = tf.memory().numTensors;
    const curvature = curvatureSeeds({ kind: 'empirical-fisher' }, categorical);
    expect(matrixFrom(testCase, curvature, labels, indices)).toBeAllclose(flat(product(transposed(chosen), chosen)));

    const diagonal = new DiagonalAccumulator(testCase.network);
    tf.tidy(() => {
      const tape = testCase.network.record(testCase.inputs);
      const { seeds, rows } = seedRows(curvature, tape.outputs, { targets: labels, firstExample: 0 });
      diagonal.accumulate(tape, seeds, rows);
    });
    expect(diagonal.finish()).toBeAllclose(gradients[0].map((_, p) => gradients.reduce((sum, row) => sum + row[p] ** 2, 0)));
    expect(tf.memory().numTensors).toBe(before);
    testCase.dispose();
  });

  it('come closer to the GGN with more draws', () => {
    const testCase = curvatureCase('convolutional');
    const indices = testRandom(5).subset(10, testCase.network.layout.size);
    const none = new Int32Array(4);
    const exact = matrixFrom(testCase, curvatureSeeds({ kind: 'ggn' }, categorical), none, indices);
    const distance = (sampleCount: number): number => {
      const drawn = matrixFrom(testCase, curvatureSeeds({ kind: 'mc-fisher', sampleCount }, categorical, 1), none, indices);
      return Math.hypot(...drawn.map((value, i) => value - exact[i])) / Math.hypot(...exact);
    };
    // A relative error of about 1 / sqrt(K), with room for a seed.
    expect(distance(10_000)).toBeLessThan(0.05);
    expect(distance(100)).toBeLessThan(0.5);
    testCase.dispose();
  });
});

describe('parseCurvature', () => {
  it('reads every kind', () => {
    expect(parseCurvature('ggn')).toEqual({ kind: 'ggn' });
    expect(parseCurvature('mc-fisher:8')).toEqual({ kind: 'mc-fisher', sampleCount: 8 });
    expect(parseCurvature('empirical-fisher')).toEqual({ kind: 'empirical-fisher' });
  });

  it.each(['fisher', 'mc-fisher', 'mc-fisher:0', 'mc-fisher:1.5', 'mc-fisher:100000', ''])("refuses '%s'", (text) => {
    expect(() => parseCurvature(text)).toThrow(
      `curvature: expected ggn, mc-fisher:K with K draws per example (1 to 99999), or empirical-fisher, got '${text}'`,
    );
  });
});

function tiled(row: Float32Array, count: number): Float32Array {
  return Float32Array.from({ length: row.length * count }, (_, i) => row[i % row.length]);
}
