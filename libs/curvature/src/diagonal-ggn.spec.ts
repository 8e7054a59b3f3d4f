import { startBackend } from '@sublace/backend';
import { categorical, gaussian, type Likelihood } from '@sublace/likelihoods';
import { Rows } from '@sublace/network';
import { categoricalHessian, diagonalMatrix, naiveGgn, naiveSoftmax, type Matrix } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { DiagonalAccumulator, identitySeeds, squareRootSeeds } from './index.ts';
import { CASE_NAMES, curvatureCase, type CurvatureCase } from './testdata/cases.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

type Seeds = (outputs: tf.Tensor2D) => tf.Tensor2D;

/** The accumulator's sums over batches of examples. */
function scoresOf({ network, inputs }: CurvatureCase, seedsOf: Seeds, batches: readonly number[][]): Float32Array {
  const accumulator = new DiagonalAccumulator(network);
  for (const batch of batches) {
    tf.tidy(() => {
      const tape = network.record(tf.gather(inputs, batch));
      const seeds = seedsOf(tape.outputs);
      accumulator.accumulate(tape, seeds, new Rows(batch.length, seeds.shape[0] / batch.length));
    });
  }
  return accumulator.finish();
}

/** The diagonal of the full GGN over every weight, formed as a matrix of doubles for a few columns at a time. */
function diagonalOfGgn(jacobians: readonly Matrix[], hessians: readonly Matrix[]): number[] {
  return jacobians[0][0].map((_, p) => naiveGgn(jacobians.map((jacobian) => jacobian.map((row) => [row[p]])), hessians)[0][0]); // prettier-ignore
}

describe.each(CASE_NAMES)('diagonal over all weights, %s', (name) => {
  it.each<[string, Likelihood, (f: number[]) => Matrix]>([
    ['categorical', categorical, categoricalHessian],
    ['Gaussian', gaussian(0.25), (f) => diagonalMatrix(f.map(() => 4))],
  ])('is that of the GGN, %s', (_, likelihood, hessian) => {
    const testCase = curvatureCase(name);
    const before = tf.memory().numTensors;
    const scores = scoresOf(testCase, (outputs) => squareRootSeeds(likelihood, outputs), [[0, 1, 2, 3]]);
    expect(tf.memory().numTensors).toBe(before);
    const hessians = testCase.examples.map((example) => hessian(testCase.naive.forward(example)));
    expect(scores).toBeAllclose(diagonalOfGgn(testCase.jacobians, hessians));
    testCase.dispose();
  });

  it('is the gradient energy with identity seeds, and adds up over batches in any order', () => {
    const testCase = curvatureCase(name);
    const seeds: Seeds = (outputs) => identitySeeds(outputs.shape[0], outputs.shape[1]);
    const energy = testCase.jacobians[0][0].map((_, p) => testCase.jacobians.flat().reduce((sum, row) => sum + row[p] ** 2, 0));
    expect(scoresOf(testCase, seeds, [[0, 1, 2, 3]])).toBeAllclose(energy);
    expect(scoresOf(testCase, seeds, [[3, 1], [2], [0]])).toBeAllclose(energy);
    testCase.dispose();
  });
});

describe('diagonal over all weights', () => {
  it('of some tensors is the same there, and zero elsewhere', () => {
    const testCase = curvatureCase('dense, relu');
    const { network, inputs } = testCase;
    const all = scoresOf(testCase, (outputs) => squareRootSeeds(categorical, outputs), [[0, 1, 2, 3]]);
    const last = network.layout.entries.slice(-1);
    const some = new DiagonalAccumulator(network, last);
    tf.tidy(() => {
      const tape = network.record(inputs);
      some.accumulate(tape, squareRootSeeds(categorical, tape.outputs), new Rows(4, network.outputCount));
    });
    expect(some.finish()).toEqual(all.map((value, i) => (i < last[0].offset ? 0 : value)));
    testCase.dispose();
  });

  it('is exactly zero where no example reaches: a pixel that is always black', () => {
    const { network, naive, examples, dispose } = curvatureCase('dense, relu');
    const dark = examples.map((example) => example.map((value, i) => (i === 2 ? 0 : value)));
    const inputs = tf.tensor(dark.flat(), [dark.length, 6]);
    const scores = scoresOf({ network, inputs } as CurvatureCase, (outputs) => squareRootSeeds(categorical, outputs), [[0, 1, 2, 3]]);
    expect([...scores.subarray(16, 24)]).toEqual(new Array(8).fill(0)); // weights from input 2 to the 8 hidden units
    expect(naiveSoftmax(naive.forward(dark[0])).every((p) => p > 0.001)).toBe(true); // so it is the pixel, not a saturated softmax
    expect(scores.subarray(0, 16).some((value) => value > 0)).toBe(true);
    inputs.dispose();
    dispose();
  });
});
