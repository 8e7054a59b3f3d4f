import * as tf from '@tensorflow/tfjs';
import { ACTIVATION_ALIASES, ACTIVATIONS, type ElementwiseActivation } from '../../layers/activations.ts';
import { gatedCell, longShortTermCell, simpleCell } from '../../layers/recurrent-cells.ts';
import { Recurrent, type RecurrentCell, type RecurrentWeights } from '../../layers/recurrent.ts';
import type { LayerOptions } from '../layer-options.ts';
import type { WeightTable } from '../weights.ts';
import type { Builder, Builders } from './builder.ts';

type CellBuilder = (options: LayerOptions, tensors: RecurrentWeights, weights: WeightTable) => RecurrentCell;

/** Recurrent layers. */
export const RECURRENT_BUILDERS: Builders = {
  SimpleRNN: recurrent('SimpleRNN', (options, { recurrentKernel }) => simpleCell(recurrentKernel, activationOf(options, 'activation'))),
  LSTM: recurrent('LSTM', (options, { recurrentKernel }) =>
    longShortTermCell(recurrentKernel, activationOf(options, 'activation'), activationOf(options, 'recurrent_activation')),
  ),
  GRU: recurrent('GRU', (options, { recurrentKernel, bias }, weights) => {
    const isAfter = options.flag('reset_after', false);
    const second = isAfter && bias ? tf.slice(bias, [1, 0], [1, recurrentKernel.shape[1]]) : undefined;
    if (second) weights.adopt(second);
    return gatedCell(recurrentKernel, activationOf(options, 'activation'), activationOf(options, 'recurrent_activation'), {
      isAfter,
      ...(second && { bias: second }),
    });
  }),
};

function recurrent(className: string, cellOf: CellBuilder): Builder {
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
    return [new Recurrent(className, name, cellOf(options, tensors, weights), tensors, run)];
  };
}

function activationOf(options: LayerOptions, key: string): ElementwiseActivation {
  const given = options.text(key, 'linear');
  const named = (name: string): ElementwiseActivation | undefined => ACTIVATIONS[ACTIVATION_ALIASES[name] ?? name];
  const known = [...Object.keys(ACTIVATIONS), ...Object.keys(ACTIVATION_ALIASES)].filter((name) => named(name) !== undefined);
  options.expect(key, known);
  return named(given) as ElementwiseActivation;
}
