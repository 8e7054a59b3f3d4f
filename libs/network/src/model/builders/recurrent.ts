import type * as tf from '@tensorflow/tfjs';
import { ACTIVATION_ALIASES, ACTIVATIONS, type ElementwiseActivation } from '../../layers/activations.ts';
import { longShortTermCell, Recurrent, simpleCell, type RecurrentCell } from '../../layers/recurrent.ts';
import type { LayerOptions } from '../layer-options.ts';
import type { Builder, Builders } from './builder.ts';

/** Recurrent layers. */
export const RECURRENT_BUILDERS: Builders = {
  SimpleRNN: recurrent('SimpleRNN', (options) => simpleCell(activationOf(options, 'activation'))),
  LSTM: recurrent('LSTM', (options) =>
    longShortTermCell(activationOf(options, 'activation'), activationOf(options, 'recurrent_activation')),
  ),
};

function recurrent(className: string, cellOf: (options: LayerOptions) => RecurrentCell): Builder {
  return (name, options, weights) => {
    options.expect('stateful', [false]);
    options.expect('time_major', [false]);
    const bias = options.flag('use_bias', true) ? weights.ofCell(name, 'bias') : undefined;
    const tensors = {
      kernel: weights.ofCell(name, 'kernel') as tf.Tensor2D,
      recurrentKernel: weights.ofCell(name, 'recurrent_kernel') as tf.Tensor2D,
      ...(bias && { bias }),
    };
    const run = { returnsSequences: options.flag('return_sequences', false), goesBackwards: options.flag('go_backwards', false) };
    return [new Recurrent(className, name, cellOf(options), tensors, run)];
  };
}

function activationOf(options: LayerOptions, key: string): ElementwiseActivation {
  const given = options.text(key, 'linear');
  options.expect(
    key,
    [...Object.keys(ACTIVATIONS), ...Object.keys(ACTIVATION_ALIASES)].filter((known) => isElementwise(known)),
  );
  return ACTIVATIONS[ACTIVATION_ALIASES[given] ?? given];
}

function isElementwise(name: string): boolean {
  return Object.hasOwn(ACTIVATIONS, ACTIVATION_ALIASES[name] ?? name);
}
