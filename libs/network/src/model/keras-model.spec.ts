import { startBackend } from '@sublace/backend';
import {
  NaiveNetwork,
  elementwiseLayer,
  flattenLayer,
  poolingLayer,
  randomBatchNormalization,
  randomConvolution,
  randomDense,
  randomDepthwise,
  testRandom,
  type ConvolutionGeometry,
} from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadNetwork, type ModelFiles } from './load-network.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const random = testRandom(23);

const geometry: ConvolutionGeometry = {
  inputShape: [6, 6, 2],
  kernelSize: [3, 3],
  strides: [1, 1],
  padding: 'same',
  dilations: [1, 1],
  groups: 2,
  filters: 4,
  hasBias: false,
};
const inner: ConvolutionGeometry = { ...geometry, inputShape: [6, 6, 4], strides: [2, 2], filters: 1 };

/** A small network in the manner of MobileNet. */
const twin = new NaiveNetwork(
  [6, 6, 2],
  [
    randomConvolution(random, 'conv1', 2, geometry),
    randomBatchNormalization(random, 'conv1_bn', 4, { hasScale: true, hasShift: true }),
    elementwiseLayer('ReLU', { name: 'conv1_relu', max_value: 6, negative_slope: 0, threshold: 0 }, (x) => Math.min(Math.max(x, 0), 6)),
    randomDepthwise(random, 'conv_dw_1', 2, inner),
    elementwiseLayer('Activation', { name: 'silu', activation: 'silu' }, (x) => x / (1 + Math.exp(-x))),
    poolingLayer(
      'Average',
      2,
      { ...inner, inputShape: [3, 3, 4], padding: 'valid', strides: [1, 1] },
      {
        className: 'GlobalAveragePooling2D',
        options: { name: 'pool', keepdims: true },
      },
    ),
    flattenLayer('flatten'),
    randomDense(random, 'head', 4, 3),
  ],
);

interface Entry {
  class_name: string;
  config: Record<string, unknown>;
}

/** The model as Keras's converter writes it: `model_config`, an input layer with `batch_shape`, policies, and weights named after variables. */
function converted(rename: (name: string) => string): ModelFiles {
  const { modelJson, weights } = twin.toLayersModel();
  const { modelTopology, weightsManifest } = modelJson as {
    modelTopology: { config: { layers: Entry[] } };
    weightsManifest: { paths: string[]; weights: { name: string }[] }[];
  };
  const dtype = { module: 'keras', class_name: 'DTypePolicy', config: { name: 'float32' }, registered_name: null };
  const layers = modelTopology.config.layers.map(({ class_name, config }) => {
    const { batch_input_shape: _, ...options } = config;
    return { module: 'keras.layers', class_name, config: { ...options, dtype, data_format: 'channels_last' }, registered_name: null };
  });
  const input = {
    module: 'keras.layers',
    class_name: 'InputLayer',
    config: { name: 'input_layer', batch_shape: [null, 6, 6, 2], dtype: 'float32', sparse: false },
  };
  return {
    modelJson: {
      modelTopology: {
        keras_version: '3.1.1',
        backend: 'tensorflow',
        model_config: { class_name: 'Sequential', config: { name: 'sequential', layers: [input, ...layers] } },
      },
      weightsManifest: weightsManifest.map((group) => ({
        ...group,
        weights: group.weights.map((weight) => ({ ...weight, name: rename(weight.name) })),
      })),
    },
    weights,
  };
}

describe('a converted Keras model', () => {
  it.each<[string, (name: string) => string]>([
    ['of layers', (name) => name],
    ['of variables', (name) => `${name}:0`],
    ['below the name of the model', (name) => `sequential/${name}`],
    ['of Keras 3, where a depthwise kernel is a kernel', (name) => name.replace('depthwise_kernel', 'kernel')],
  ])('gives what its twin gives, with weights named after the names %s', (_, rename) => {
    const network = loadNetwork(converted(rename));
    const example = random.normals(72).map(Math.fround);
    const outputs = tf.tidy(() => network.forward(tf.tensor(example, [1, 6, 6, 2])).dataSync());
    expect(outputs).toBeAllclose(twin.forward(example));
    expect(network.layout.size).toBe(twin.parameterCount);
    network.dispose();
  });
});
