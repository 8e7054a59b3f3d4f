import { SublaceError } from '@sublace/errors';
import { Activation, LogSoftmax, Softmax } from '../../layers/activation.ts';
import { ACTIVATIONS, ACTIVATION_ALIASES, affine, exponentialLinear, rectifier } from '../../layers/activations.ts';
import type { Layer } from '../../layers/layer.ts';
import { PReLU } from '../../layers/prelu.ts';
import { Identity } from '../../layers/shape-layers.ts';
import type { LayerOptions } from '../layer-options.ts';
import type { Builders } from './builder.ts';

/** Activations as layers of their own, and other functions of one number. */
export const ACTIVATION_BUILDERS: Builders = {
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
  PReLU: (name, _, weights) => [new PReLU(name, weights.get(name, 'alpha'))],
  Rescaling: (name, options) => [new Activation(name, affine(options.number('scale', 1), options.number('offset', 0)))],
  // tf.js writes 1 by default, which is the last axis of a vector.
  Softmax: (name, options) => [new Softmax(name, options.list('axis', [1]))],
};

/**
 * The node of a layer's `activation` option.
 *
 * @param layer  Layer name, for messages.
 * @param options  The layer's options.
 * @param name  Name of the node.
 * @returns  One node, or none for a linear activation inside another layer.
 * @throws {SublaceError} MODEL_UNSUPPORTED for an activation without a rule.
 */
export function activationLayers(layer: string, options: LayerOptions, name = `${layer}/activation`): Layer[] {
  const given = options.text('activation', 'linear');
  const activation = ACTIVATION_ALIASES[given] ?? given;
  if (activation === 'linear') return name === layer ? [new Identity(name, 'Activation')] : [];
  if (activation === 'softmax') return [new Softmax(name)];
  if (activation === 'logSoftmax') return [new LogSoftmax(name)];
  if (Object.hasOwn(ACTIVATIONS, activation)) return [new Activation(name, ACTIVATIONS[activation])];
  const known = [...Object.keys(ACTIVATIONS), 'softmax', 'logSoftmax'].join(', ');
  throw new SublaceError('MODEL_UNSUPPORTED', `layer '${layer}': activation '${given}' is not supported; supported: ${known}`);
}
