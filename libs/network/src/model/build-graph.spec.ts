import { startBackend } from '@sublace/backend';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { filesOf } from '../testdata/layers-models.ts';
import { loadNetwork, type ModelFiles } from './load-network.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

type Json = Record<string, unknown>;

const dense = (units: number, name: string): tf.layers.Layer => tf.layers.dense({ units, name, activation: 'tanh' });

/** Two inputs, a layer that both share, and a model inside. */
async function siamese(): Promise<{ model: tf.LayersModel; files: ModelFiles }> {
  const inputs = [tf.input({ shape: [3], name: 'left' }), tf.input({ shape: [3], name: 'right' })];
  const innerInput = tf.input({ shape: [3], name: 'inner_input' });
  const inner = tf.model({ inputs: innerInput, outputs: dense(3, 'hidden').apply(innerInput) as tf.SymbolicTensor, name: 'inner' });
  const shared = dense(3, 'shared');
  const sides = inputs.map((input) => inner.apply(shared.apply(input)) as tf.SymbolicTensor);
  const joined = tf.layers.concatenate({ name: 'join' }).apply(sides) as tf.SymbolicTensor;
  const model = tf.model({ inputs, outputs: dense(2, 'head').apply(joined) as tf.SymbolicTensor });
  return { model, files: await filesOf(model) };
}

/** The config of the outermost model. */
function configOf(files: ModelFiles): { layers: Json[]; input_layers: unknown; output_layers: unknown } {
  return (files.modelJson as { modelTopology: { config: { layers: Json[]; input_layers: unknown; output_layers: unknown } } }).modelTopology
    .config;
}

function layerOf(files: ModelFiles, name: string): Json {
  return configOf(files).layers.find((layer) => layer['name'] === name) as Json;
}

function outputsOf(files: ModelFiles, input: number[]): number[] {
  const network = loadNetwork(files);
  const outputs = tf.tidy(() => [...network.forward(tf.tensor2d([input])).dataSync()]);
  network.dispose();
  return outputs;
}

describe('buildGraph', () => {
  const input = [0.1, -0.4, 0.7, 1.2, 0.3, -0.9];

  it('takes several inputs side by side in the order of the model, not of its layers', async () => {
    const { model, files } = await siamese();
    const expected = model.predict([tf.tensor2d([input.slice(0, 3)]), tf.tensor2d([input.slice(3)])]) as tf.Tensor;
    configOf(files).layers.reverse();
    expect(loadNetwork(files).inputShape).toEqual([6]);
    const outputs = outputsOf(files, input);
    for (const [c, value] of expected.dataSync().entries()) expect(outputs[c]).toBeCloseTo(value, 5);
  });

  it('reads calls as Keras 3 writes them, and counts those of a nested model from whatever is first', async () => {
    const { files } = await siamese();
    const expected = outputsOf(files, input);
    for (const layer of configOf(files).layers) {
      layer['inbound_nodes'] = (layer['inbound_nodes'] as [string, number, number][][]).map((call) => {
        const tensors = call.map(([name, index, tensor]) => ({
          class_name: '__keras_tensor__',
          config: { shape: [null, 3], dtype: 'float32', keras_history: [name, name === 'inner' ? index - 1 : index, tensor] },
        }));
        return { args: tensors.length > 1 ? [tensors] : tensors, kwargs: { mask: null } };
      });
    }
    configOf(files).output_layers = ['head', 0, 0];
    expect(outputsOf(files, input)).toEqual(expected);
  });

  it('calls layers of one name in different models by their paths', async () => {
    const { files } = await siamese();
    const [inner, outer] = [layerOf(files, 'inner'), layerOf(files, 'head')];
    const hidden = (inner['config'] as { layers: Json[]; output_layers: unknown[][] }).layers[1];
    hidden['name'] = (hidden['config'] as Json)['name'] = 'head';
    (inner['config'] as { output_layers: unknown[][] }).output_layers = [['head', 0, 0]];
    expect((outer['config'] as Json)['name']).toBe('head');
    const manifest = (files.modelJson as { weightsManifest: { weights: Json[] }[] }).weightsManifest[0].weights;
    for (const weight of manifest) weight['name'] = (weight['name'] as string).replace('hidden/', 'inner/head/');
    const network = loadNetwork(files);
    expect(network.layout.entries.map(({ layer, weight }) => `${layer}/${weight}`)).toEqual([
            'shared/kernel', 'shared/bias', 'inner/head/kernel', 'inner/head/bias', 'head/kernel', 'head/bias',
    ]); // prettier-ignore
    network.dispose();
  });

  it.each<[string, (files: ModelFiles) => void, string]>([
    [
      'an argument that changes what a layer does',
      (files) => (layerOf(files, 'shared')['inbound_nodes'] = [[['left', 0, 0, { training: true }]], [['right', 0, 0, {}]]]),
      "layer 'shared' (Dense): called with 'training', which is not supported",
    ],
    [
      'a second output of a layer',
      (files) => (layerOf(files, 'join')['inbound_nodes'] = [[['inner', 1, 0, {}], ['shared', 1, 1, {}]]]), // prettier-ignore
      "layer 'shared': output 1 is used; only a layer's first output is supported",
    ],
    [
      'an input that is no layer',
      (files) => (layerOf(files, 'join')['inbound_nodes'] = [[['nowhere', 0, 0, {}]]]),
      "layer 'join': its inputs nowhere are not layers of the model",
    ],
    [
      'two outputs',
      (files) => (configOf(files).output_layers = [['head', 0, 0], ['join', 0, 0]]), // prettier-ignore
      'expected one output, got 2: head, join',
    ],
    [
      'two layers of one name',
      (files) => configOf(files).layers.push(layerOf(files, 'head')),
      "model.json: expected layer names to differ, got 'head' twice",
    ],
  ])('refuses %s', async (_, change, message) => {
    const { files } = await siamese();
    change(files);
    const before = tf.memory().numTensors;
    expect(() => loadNetwork(files)).toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });
});
