import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '@sublace/backend';
import { buildArchitecture } from './architectures/build-architecture.ts';
import { collectSwag, type SwagOptions } from './swag.ts';
import { bars, blobs } from './testdata/tiny-problems.ts';
import { trainMap, type TrainingProgress } from './train-map.ts';

const options: SwagOptions = { snapshots: 5, learningRate: 0.05, momentum: 0.9, weightDecay: 1e-3, batchSize: 16, seed: 3 };

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

async function trained(): Promise<tf.LayersModel> {
  const model = buildArchitecture('mlp:6x1', { inputShape: [2], outputCount: 3, seed: 1 });
  await trainMap(model, blobs(60, 1), undefined, { epochs: 3, batchSize: 16 });
  return model;
}

const weightsOf = (model: tf.LayersModel): Float32Array[] => model.getWeights().map((weight) => weight.dataSync<'float32'>().slice());

/** E[w^2] - E[w]^2, as the formula is written. */
function naiveVariance(values: readonly number[]): number {
  const mean = (terms: readonly number[]): number => terms.reduce((sum, term) => sum + term, 0) / terms.length;
  return Math.max(mean(values.map((value) => value * value)) - mean(values) ** 2, 1e-30);
}

describe('collectSwag', () => {
  it('gives the variance over the weights at the end of each epoch, by the formula as it is written', async () => {
    const [model, twin] = [await trained(), await trained()];
    const snapshots: Float32Array[][] = [];
    const onProgress = ({ record }: TrainingProgress): void => {
      if (record) snapshots.push(weightsOf(twin));
    };
    const { snapshots: epochs, ...sgd } = options;
    await trainMap(twin, blobs(60, 1), undefined, { ...sgd, epochs, optimiser: 'sgd-momentum', schedule: 'constant' }, { onProgress });

    const before = tf.memory().numTensors;
    const { variances, curve, unmovedCount } = await collectSwag(model, blobs(60, 1), options);
    expect(tf.memory().numTensors).toBe(before);
    expect([...variances.keys()]).toEqual(['dense1/kernel', 'dense1/bias', 'output/kernel', 'output/bias']);
    expect([curve.length, unmovedCount]).toEqual([5, 0]);
    for (const [w, values] of [...variances.values()].entries()) {
      for (const [i, value] of values.entries()) {
        const seen = snapshots.map((snapshot) => snapshot[w][i]);
        // The formula itself loses digits: w^2 is some 1e4 times the variance here.
        expect(Math.abs(value - naiveVariance(seen))).toBeLessThan(1e-9 * value + 1e-14);
      }
    }
    model.dispose();
    twin.dispose();
  });

  it('knows weights that do not move: of an input that is always zero, without weight decay', async () => {
    const model = buildArchitecture('mlp:4x1', { inputShape: [2], outputCount: 3, seed: 1 });
    const examples = blobs(40, 2);
    const dark = { ...examples, inputs: examples.inputs.map((value, i) => (i % 2 === 1 ? 0 : value)) };
    const { variances, unmovedCount } = await collectSwag(model, dark, { ...options, weightDecay: 0 });
    expect([...variances.get('dense1/kernel')!.subarray(4, 8)]).toEqual(new Array(4).fill(1e-30));
    expect(Math.min(...variances.get('dense1/kernel')!.subarray(0, 4))).toBeGreaterThan(1e-30);
    expect(unmovedCount).toBe(4);
    model.dispose();
  });

  it('has no variance for moving statistics, which are no weights', async () => {
    const model = buildArchitecture('resnet-small', { inputShape: [8, 8, 2], outputCount: 2, seed: 1 });
    const { variances } = await collectSwag(model, bars(16, 8, 2, 1), { ...options, snapshots: 2, batchSize: 8 });
    const names = [...variances.keys()];
    expect(names).toContain('bn1/gamma');
    expect(names.filter((name) => name.includes('moving'))).toEqual([]);
    model.dispose();
  });

  it('refuses one snapshot, and a learning rate at which the weights run away', async () => {
    const model = await trained();
    await expect(collectSwag(model, blobs(30, 1), { ...options, snapshots: 1 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'swag: expected at least 2 snapshots, got 1',
    });
    await expect(collectSwag(model, blobs(30, 1), { ...options, learningRate: 1e20 })).rejects.toMatchObject({
      code: 'NUMERICAL_FAILURE',
      message: expect.stringContaining('learningRate'),
    });
    model.dispose();
  });
});
