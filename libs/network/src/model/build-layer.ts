import type * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import { Activation, LogSoftmax, Softmax } from '../layers/activation.ts';
import { ACTIVATIONS, ACTIVATION_ALIASES, exponentialLinear, rectifier } from '../layers/activations.ts';
import { BatchNormalization } from '../layers/batch-normalization.ts';
import { Conv2D } from '../layers/conv2d.ts';
import { Dense } from '../layers/dense.ts';
import type { Layer } from '../layers/layer.ts';
import { Add, Concatenate } from '../layers/merge.ts';
import { AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D } from '../layers/pooling.ts';
import { Identity, Reshape, ZeroPadding2D } from '../layers/shape-layers.ts';
import { layerOptions, type LayerOptions } from './layer-options.ts';
import type { LayerSpec } from './topology.ts';
import type { WeightTable } from './weights.ts';

/** From a layer's description to the nodes that compute it, each fed by the one before. */
type Builder = (name: string, options: LayerOptions, weights: WeightTable) => Layer[];

const BUILDERS: Readonly<Record<string, Builder>> = {
  Dense: (name, options, weights) => [
    new Dense(name, weights.get(name, 'kernel') as tf.Tensor2D, biasOf(name, options, weights)),
    ...activationLayers(name, options),
  ],
  Conv2D: (name, options, weights) => {
    options.expect('data_format', ['channels_last']);
    options.expectPair('dilation_rate', [1, 1]);
    options.expect('groups', [1]);
    const kernel = weights.get(name, 'kernel') as tf.Tensor4D;
    return [
      new Conv2D(name, kernel, biasOf(name, options, weights), options.pair('strides', [1, 1]), options.padding()),
      ...activationLayers(name, options),
    ];
  },
  BatchNormalization: (name, options, weights) => {
    options.expect('axis', [-1, 3, 1], 'the last axis');
    const optional = (weight: string, flag: string): tf.Tensor | undefined =>
      options.flag(flag, true) ? weights.get(name, weight) : undefined;
    const [gamma, beta] = [optional('gamma', 'scale'), optional('beta', 'center')];
    const statistics = { movingMean: weights.get(name, 'moving_mean'), movingVariance: weights.get(name, 'moving_variance') };
    return [
      new BatchNormalization(
        name,
        { ...(gamma && { gamma }), ...(beta && { beta }), ...statistics },
        options.number('epsilon', 1e-3),
        options.axis(),
      ),
    ];
  },
  MaxPooling2D: (name, options) => [new MaxPooling2D(name, poolingOptions(options))],
  AveragePooling2D: (name, options) => [new AveragePooling2D(name, poolingOptions(options))],
  GlobalAveragePooling2D: (name, options) => [new GlobalAveragePooling2D(channelsLast(name, options))],
  GlobalMaxPooling2D: (name, options) => [new GlobalMaxPooling2D(channelsLast(name, options))],
  ZeroPadding2D: (name, options) => [new ZeroPadding2D(channelsLast(name, options), options.pads())],
  Flatten: (name, options) => [new Reshape(channelsLast(name, options), [-1])],
  Reshape: (name, options) => [new Reshape(name, options.numbers('target_shape'))],
  Add: (name) => [new Add(name)],
  Concatenate: (name, options) => [new Concatenate(name, options.number('axis', -1))],
  Activation: (name, options) => activationLayers(name, options, name),
  ReLU: (name, options) => [
    new Activation(
      name,
      rectifier(options.number('negative_slope', 0), options.number('max_value', Infinity), options.number('threshold', 0)),
    ),
  ],
  LeakyReLU: (name, options) => [new Activation(name, rectifier(options.number('alpha', options.number('negative_slope', 0.3))))],
  ThresholdedReLU: (name, options) => [new Activation(name, rectifier(0, Infinity, options.number('theta', 1)))],
  ELU: (name, options) => [new Activation(name, exponentialLinear(options.number('alpha', 1)))],
  Softmax: (name, options) => {
    // tf.js writes 1, which is the last axis of a vector; the layer checks the rank.
    options.expect('axis', [-1, 1], 'the last axis');
    return [new Softmax(name, options.number('axis', -1))];
  },
};

/** Layers that do nothing in inference mode. */
const IDENTITIES = [
  'Dropout',
  'SpatialDropout1D',
  'SpatialDropout2D',
  'AlphaDropout',
  'GaussianDropout',
  'GaussianNoise',
  'ActivityRegularization',
];

/** Classes of layers that can be used, for messages and documentation. */
export const SUPPORTED_LAYERS: readonly string[] = ['InputLayer', ...Object.keys(BUILDERS), ...IDENTITIES];

/**
 * The nodes that compute one layer of a model file; a layer with an activation becomes two.
 *
 * @param spec  The layer.
 * @param weights  The model's weights.
 * @returns  Nodes, each fed by the one before.
 * @throws {SublaceError} MODEL_UNSUPPORTED for a class or option without a rule, by name; MODEL_INVALID for missing weights.
 */
export function buildLayer(spec: LayerSpec, weights: WeightTable): Layer[] {
  if (IDENTITIES.includes(spec.className)) return [new Identity(spec.name, spec.className)];
  if (!Object.hasOwn(BUILDERS, spec.className)) {
    throw new SublaceError(
      'MODEL_UNSUPPORTED',
      `layer '${spec.name}' of class ${spec.className} is not supported; supported: ${SUPPORTED_LAYERS.join(', ')}`,
    );
  }
  return BUILDERS[spec.className](spec.name, layerOptions(spec), weights);
}

function biasOf(name: string, options: LayerOptions, weights: WeightTable): tf.Tensor | undefined {
  return options.flag('use_bias', true) ? weights.get(name, 'bias') : undefined;
}

function poolingOptions(options: LayerOptions): ConstructorParameters<typeof MaxPooling2D>[1] {
  options.expect('data_format', ['channels_last']);
  const size = options.pair('pool_size', [2, 2]);
  return { size, strides: options.pair('strides', size), padding: options.padding() };
}

function channelsLast(name: string, options: LayerOptions): string {
  options.expect('data_format', ['channels_last']);
  return name;
}

function activationLayers(layer: string, options: LayerOptions, name = `${layer}/activation`): Layer[] {
  const given = options.text('activation', 'linear');
  const activation = ACTIVATION_ALIASES[given] ?? given;
  if (activation === 'linear') return name === layer ? [new Identity(name, 'Activation')] : [];
  if (activation === 'softmax') return [new Softmax(name)];
  if (activation === 'logSoftmax') return [new LogSoftmax(name)];
  if (Object.hasOwn(ACTIVATIONS, activation)) return [new Activation(name, ACTIVATIONS[activation])];
  const known = [...Object.keys(ACTIVATIONS), 'softmax', 'logSoftmax'].join(', ');
  throw new SublaceError('MODEL_UNSUPPORTED', `layer '${layer}': activation '${given}' is not supported; supported: ${known}`);
}
