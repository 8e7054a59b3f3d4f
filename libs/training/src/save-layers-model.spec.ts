import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '@sublace/backend';
import { buildArchitecture } from './architectures/build-architecture.ts';
import { computeOutputs } from './evaluation.ts';
import { restoreLayersModel, saveLayersModel } from './save-layers-model.ts';
import { bars } from './testdata/tiny-problems.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

describe('saveLayersModel', () => {
  it.each(['mlp:9x2', 'lenet5', 'resnet-small'])('%s answers the same after a round trip through JSON and bytes', async (name) => {
    const examples = bars(3, 12, 1, 1);
    const model = buildArchitecture(name, { inputShape: [12, 12, 1], outputCount: 2, seed: 4 });
    const { modelJson, weights } = await saveLayersModel(model);
    expect(modelJson.format).toBe('layers-model');
    const [group] = modelJson.weightsManifest;
    const elements = group.weights.map((weight) => weight.shape.reduce((product, size) => product * size, 1));
    expect(weights.byteLength).toBe(4 * elements.reduce((sum, count) => sum + count, 0));
    expect(new Set(group.weights.map((weight) => weight.dtype))).toEqual(new Set(['float32']));

    const restored = await restoreLayersModel({ modelJson: JSON.parse(JSON.stringify(modelJson)), weights: Uint8Array.from(weights) });
    expect(computeOutputs(restored, examples)).toEqual(computeOutputs(model, examples));
    model.dispose();
    restored.dispose();
  });

  it('stores weights little-endian in the order of the manifest', async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2], name: 'only' })] });
    model.setWeights([tf.tensor2d([1.5, -2], [2, 1]), tf.tensor1d([0.25])]);
    const { modelJson, weights } = await saveLayersModel(model);
    expect(modelJson.weightsManifest[0].weights.map((weight) => weight.name)).toEqual(['only/kernel', 'only/bias']);
    const view = new DataView(weights.buffer, weights.byteOffset);
    expect([0, 4, 8].map((offset) => view.getFloat32(offset, true))).toEqual([1.5, -2, 0.25]);
    model.dispose();
  });

  it('refuses what tf.js cannot read', async () => {
    const model = buildArchitecture('mlp:3x1', { inputShape: [2], outputCount: 2, seed: 4 });
    const { modelJson, weights } = await saveLayersModel(model);
    await expect(restoreLayersModel({ modelJson, weights: weights.subarray(0, 8) })).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    model.dispose();
  });
});
