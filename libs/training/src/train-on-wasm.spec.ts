import { startBackend } from '@sublace/backend';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildArchitecture } from './architectures/build-architecture.ts';
import { bars } from './testdata/tiny-problems.ts';
import { trainMap } from './train-map.ts';

beforeAll(async () => {
  await startBackend({ threads: 1, runtime: 'wasm' });
});

/** Largest difference, relative to the largest entry. */
function distance(a: Float32Array, b: Float32Array): number {
  const largest = (values: Float32Array): number => values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return a.length === b.length ? largest(a.map((value, index) => value - b[index])) / largest(b) : Number.POSITIVE_INFINITY;
}

describe('trainMap on WebAssembly', () => {
  it.each(['mlp:8x2', 'lenet5', 'resnet-small'])('trains %s as the plain backend does', async (name) => {
    const examples = bars(8, 12, 1, 1);
    const trained: Float32Array[][] = [];
    for (const backend of ['wasm', 'cpu']) {
      await tf.setBackend(backend);
      const model = buildArchitecture(name, { inputShape: [12, 12, 1], outputCount: 2, seed: 1 });
      const before = tf.memory().numTensors;
      await trainMap(model, examples, undefined, { epochs: 2, batchSize: 4, optimiser: 'sgd-momentum', learningRate: 0.01 });
      expect(tf.memory().numTensors).toBe(before);
      trained.push(model.getWeights().map((weight) => weight.dataSync<'float32'>().slice()));
      model.dispose();
    }
    await tf.setBackend('wasm');
    for (const [index, weights] of trained[0].entries()) expect(distance(weights, trained[1][index])).toBeLessThan(1e-3);
  });
});
