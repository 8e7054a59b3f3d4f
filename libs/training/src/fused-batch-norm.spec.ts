import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { startBackend } from '@sublace/backend';
import { buildArchitecture } from './architectures/build-architecture.ts';
import { fusedBatchNorm, useFusedBatchNorm } from './fused-batch-norm.ts';

const backend = await startBackend({ threads: 1 });

/** Batch norm composed of plain operations, whose gradient tf.js derives. */
function composedBatchNorm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number): tf.Tensor {
  const mean = x.mean([0, 1, 2], true);
  const variance = x.sub(mean).square().mean([0, 1, 2], true);
  return x.sub(mean).div(variance.add(epsilon).sqrt()).mul(gamma).add(beta);
}

function largestDifference(a: tf.Tensor, b: tf.Tensor): number {
  expect(a.shape).toEqual(b.shape);
  return tf.tidy(() => a.sub(b).abs().max().dataSync()[0]);
}

describe.runIf(backend.name === 'tensorflow')('fusedBatchNorm', () => {
  const epsilon = 1e-3;

  it('has the values and the gradients of the composed operation, and leaves nothing behind', () => {
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const x = tf.randomNormal<tf.Rank.R4>([4, 5, 3, 6], 2, 3, 'float32', 1);
      const gamma = tf.randomNormal<tf.Rank.R1>([6], 1, 0.5, 'float32', 2);
      const beta = tf.randomNormal<tf.Rank.R1>([6], 0, 1, 'float32', 3);
      const weights = tf.randomNormal([4, 5, 3, 6], 0, 1, 'float32', 4);
      const fused = (...args: tf.Tensor[]): tf.Tensor => {
        const [a, b, c] = args;
        return fusedBatchNorm(a.reshape<tf.Tensor4D>(x.shape), b.as1D(), c.as1D(), epsilon, () => undefined);
      };
      const composed = (...args: tf.Tensor[]): tf.Tensor => composedBatchNorm(args[0], args[1], args[2], epsilon);
      expect(largestDifference(fused(x, gamma, beta), composed(x, gamma, beta))).toBeLessThan(1e-5);
      const gradientsOf = (f: typeof fused): tf.Tensor[] =>
        tf.grads((...args) =>
          f(...args)
            .mul(weights)
            .sum(),
        )([x, gamma, beta]);
      const expected = gradientsOf(composed);
      for (const [index, gradient] of gradientsOf(fused).entries()) {
        // The sums over 60 positions reach 30; float32 keeps seven digits of them.
        expect(largestDifference(gradient, expected[index])).toBeLessThan(3e-5);
      }
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('tells mean and unbiased variance', () => {
    const x = tf.tensor4d([1, 10, 2, 20, 6, 60], [3, 1, 1, 2]);
    const [gamma, beta] = [tf.ones<tf.Rank.R1>([2]), tf.zeros<tf.Rank.R1>([2])];
    const seen: number[][] = [];
    tf.tidy(() => fusedBatchNorm(x, gamma, beta, epsilon, (mean, variance) => seen.push([...mean.dataSync()], [...variance.dataSync()])));
    expect(seen).toEqual([
      [3, 30],
      [expect.closeTo(7, 4), expect.closeTo(700, 2)],
    ]);
    tf.dispose([x, gamma, beta]);
  });
});

describe.runIf(backend.name === 'tensorflow')('useFusedBatchNorm', () => {
  it('changes the layers until it is undone', () => {
    const model = buildArchitecture('resnet-small', { inputShape: [8, 8, 1], outputCount: 2, seed: 1 });
    const x = tf.randomNormal([6, 8, 8, 1], 1, 1, 'float32', 1);
    const run = (training: boolean): tf.Tensor => tf.tidy(() => model.apply(x, { training }) as tf.Tensor);
    const movingMean = (): Float32Array => model.getLayer('bn1').getWeights()[2].dataSync<'float32'>().slice();
    const initial = model.getWeights().map((weight) => weight.clone());

    const composed = run(true);
    const composedMean = movingMean();
    model.setWeights(initial);
    const undo = useFusedBatchNorm(model);
    const fused = run(true);
    expect(largestDifference(fused, composed)).toBeLessThan(1e-4);
    for (const [index, value] of movingMean().entries()) expect(value).toBeCloseTo(composedMean[index], 5);

    const inference = run(false);
    undo();
    const after = run(false);
    expect(largestDifference(inference, after)).toBe(0);
    tf.dispose([x, composed, fused, inference, after, ...initial]);
    model.dispose();
  });
});
