import { startBackend } from '@sublace/backend';
import {
  activationLayer,
  flattenLayer,
  NaiveNetwork,
  poolingLayer,
  randomBatchNormalization,
  randomConvolution,
  randomDense,
  randomDepthwise,
  randomLayerNormalization,
  randomPReLU,
  randomSeparable,
  randomSequenceDense,
  randomTransposedConvolution,
  testRandom,
  type ConvolutionGeometry,
  type NaiveLayer,
} from '@sublace/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadNetwork } from './index.ts';
import { expectLikeTwin } from './testdata/expect-like-twin.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const random = testRandom(29);

const plain: Omit<ConvolutionGeometry, 'inputShape' | 'filters'> = {
  kernelSize: [3, 3],
  strides: [1, 1],
  padding: 'same',
  dilations: [1, 1],
  groups: 1,
  hasBias: true,
};

describe('layers in a row', () => {
  it('dilated and grouped convolutions, pooled and not, behave as their twins', () => {
    const pool = {
      ...plain,
      inputShape: [7, 6, 4] as const,
      kernelSize: [2, 2] as const,
      strides: [2, 2] as const,
      padding: 'valid' as const,
    };
    expectLikeTwin(
      new NaiveNetwork(
        [7, 6, 2],
        [
          randomConvolution(random, 'first', 2, { ...plain, inputShape: [7, 6, 2], dilations: [1, 2], filters: 4 }),
          activationLayer('bend', 'relu'),
          poolingLayer('Max', 2, pool),
          randomConvolution(random, 'second', 2, { ...plain, inputShape: [3, 3, 4], groups: 2, filters: 4 }),
          activationLayer('bend_again', 'tanh'),
          flattenLayer('flatten'),
          randomDense(random, 'head', 36, 3),
        ],
      ),
    );
  });

  it('depthwise, separable and transposed convolutions with normalisation and learned slopes behave as their twins', () => {
    expectLikeTwin(
      new NaiveNetwork(
        [5, 4, 2],
        [
          randomDepthwise(random, 'depthwise', 2, { ...plain, inputShape: [5, 4, 2], filters: 2, hasBias: false }),
          randomBatchNormalization(random, 'norm', 4, { hasScale: true, hasShift: true }),
          randomPReLU(random, 'slopes', [5, 4, 4], [0, 1]),
          randomSeparable(random, 'separable', 2, { ...plain, inputShape: [5, 4, 4], strides: [2, 2], filters: 3 }, 1),
          randomTransposedConvolution(random, 'up', { ...plain, inputShape: [3, 2, 3], strides: [2, 2], padding: 'same', filters: 2 }),
          activationLayer('bend', 'tanh'),
          flattenLayer('flatten'),
          randomDense(random, 'head', 48, 3),
        ],
      ),
    );
  });

  it('dense layers, normalisation and causal convolutions of a sequence behave as their twins', () => {
    expectLikeTwin(
      new NaiveNetwork(
        [6, 3],
        [
          randomSequenceDense(random, 'embed', 6, 3, 4),
          randomLayerNormalization(random, 'norm', [6, 4], [1], { hasScale: true, hasShift: true }),
          activationLayer('bend', 'tanh'),
          randomConvolution(random, 'causal', 1, {
            ...plain,
            inputShape: [1, 6, 4],
            kernelSize: [1, 3],
            dilations: [1, 2],
            padding: 'causal',
            filters: 3,
          }),
          flattenLayer('flatten'),
          randomDense(random, 'head', 18, 3),
        ],
      ),
    );
  });

  it('count what lies between the steps of a layer, for estimates of memory', () => {
    const largest = (layer: NaiveLayer, outputs: number): number => {
      const twin = new NaiveNetwork([4, 4, 2], [layer, flattenLayer('flatten'), randomDense(random, 'head', outputs, 2)]);
      const network = loadNetwork(twin.toLayersModel());
      network.dispose();
      return network.activationElements.largest;
    };
    const image = { ...plain, inputShape: [4, 4, 2] as const, padding: 'same' as const };
    expect(largest(randomTransposedConvolution(random, 'up', { ...image, filters: 5 }), 80)).toBe(16 * 9 * 5);
    expect(largest(randomSeparable(random, 'separable', 2, { ...image, filters: 3 }, 8), 48)).toBe(16 * 16);
  });
});
