import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import { buildArchitecture } from './build-architecture.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const countOf = (weights: tf.LayersModel['weights']): number =>
  weights.reduce((sum, weight) => sum + weight.shape.reduce((p, d) => p! * d!, 1)!, 0);

/** Trainable weights and shape of the outputs for two zero inputs. */
function measure(name: string, inputShape: number[], outputCount: number): [number, number[]] {
  const model = buildArchitecture(name, { inputShape, outputCount, seed: 3 });
  const outputs = tf.tidy(() => (model.predict(tf.zeros([2, ...inputShape])) as tf.Tensor).shape);
  const count = countOf(model.trainableWeights);
  model.dispose();
  return [count, outputs];
}

describe('buildArchitecture', () => {
  it.each([
    ['mlp:50x1', [11], 1, 11 * 50 + 50 + 50 + 1],
    ['mlp:50x2', [1], 1, 50 + 50 + 50 * 50 + 50 + 50 + 1],
    ['mlp:7x3', [4, 4, 1], 5, 16 * 7 + 7 + 2 * (49 + 7) + 7 * 5 + 5],
    ['lenet5', [28, 28, 1], 10, 61_706],
    ['lenet5', [32, 32, 3], 10, 5 * 5 * 3 * 6 + 6 + 2416 + (6 * 6 * 16 + 1) * 120 + 10_164 + 850],
    ['resnet-small', [32, 32, 3], 10, 78_042],
    ['resnet-small:2', [28, 28, 1], 10, 174_970],
    // Embedding, positions, then blocks of 12 W^2 + 12 W weights (keys have no bias), the last normalisation and the head.
    ['transformer:8x2', [6, 5, 1], 3, 6 * 8 + 2 * 6 * 8 + 2 * (12 * 64 + 12 * 8) + 16 + 27],
    ['transformer:8x1x1', [4, 3], 2, 4 * 8 + 2 * 4 * 8 + 12 * 64 + 12 * 8 + 16 + 18],
  ])('%s for %j and %i outputs has %i trainable weights', (name, inputShape, outputCount, weightCount) => {
    expect(measure(name, inputShape, outputCount)).toEqual([weightCount, [2, outputCount]]);
  });

  it('resnet18 has the 11,173,962 weights of the CIFAR-10 network', () => {
    const model = buildArchitecture('resnet18', { inputShape: [32, 32, 3], outputCount: 10, seed: 0 });
    expect(countOf(model.trainableWeights)).toBe(11_173_962);
    expect(countOf(model.nonTrainableWeights)).toBe(9_600);
    expect(model.getLayer('stage4_block1_shortcut_conv').outputShape).toEqual([null, 4, 4, 512]);
    expect(model.layers.some((layer) => layer.name === 'stage1_block1_shortcut_conv')).toBe(false);
    model.dispose();
  });

  it.each([0, 5])('draws He-normal weights, equal for equal seeds and different between seeds and layers: %i', (first) => {
    const kernels = [first, first, first + 1].map((seed) => {
      const model = buildArchitecture('mlp:200x2', { inputShape: [200], outputCount: 2, seed });
      const values = ['dense1', 'dense2'].map((layer) => model.getLayer(layer).getWeights()[0].dataSync<'float32'>().slice());
      model.dispose();
      return values;
    });
    expect(kernels[0]).toEqual(kernels[1]);
    expect(kernels[0][0]).not.toEqual(kernels[2][0]);
    expect(kernels[0][0]).not.toEqual(kernels[0][1]);
    const variance = kernels[0][0].reduce((sum, value) => sum + value ** 2, 0) / kernels[0][0].length;
    // tf.js cuts the normal at two standard deviations, which leaves 0.774 of the variance.
    expect(variance / ((2 / 200) * 0.774)).toBeCloseTo(1, 1);
  });

  it.each([
    ['perceptron', [28, 28, 1], 'USAGE', 'resnet18'],
    ['transformer:8', [28, 28, 1], 'INVALID_ARGUMENT', 'transformer:32x2x4'],
    ['transformer:8x1x3', [28, 28, 1], 'INVALID_ARGUMENT', 'heads that divide the width 8, got 3'],
    ['transformer', [11], 'SHAPE_MISMATCH', '[11]'],
    ['lenet5:3', [28, 28, 1], 'USAGE', 'lenet5'],
    ['toString', [28, 28, 1], 'USAGE', 'mlp:WIDTHxDEPTH'],
    ['mlp:50', [3], 'INVALID_ARGUMENT', 'mlp:50x2'],
    ['mlp:0x1', [3], 'INVALID_ARGUMENT', 'mlp:0x1'],
    ['resnet-small:3', [32, 32, 3], 'INVALID_ARGUMENT', 'resnet-small:2'],
    ['lenet5', [11], 'SHAPE_MISMATCH', '[11]'],
    ['lenet5', [8, 8, 1], 'SHAPE_MISMATCH', '12x12'],
    ['mlp:5x1', [0], 'SHAPE_MISMATCH', '[0]'],
  ])('refuses %s for inputs %j', (name, inputShape, code, part) => {
    let error: unknown;
    try {
      buildArchitecture(name, { inputShape, outputCount: 2, seed: 0 });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SublaceError);
    expect((error as SublaceError).code).toBe(code);
    expect((error as SublaceError).message).toContain(part);
  });
});
