import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import type { ArchitectureOptions } from './architecture.ts';
import { layerInitialisers } from './initialisers.ts';

/**
 * Multilayer perceptron `mlp:WIDTHxDEPTH`: DEPTH hidden ReLU layers of WIDTH units (dense1, dense2, ...), then a linear output layer.
 * Inputs of rank above 1 are flattened first.
 *
 * @param options  Input shape, outputs, seed.
 * @param argument  `WIDTHxDEPTH`, for example `50x2`; the default is `50x1`.
 * @returns  A LayersModel from [N, ...inputShape] to outputs [N, outputCount].
 * @throws SublaceError INVALID_ARGUMENT when `argument` has another form.
 */
export function buildMlp(options: ArchitectureOptions, argument: string | undefined): tf.LayersModel {
  const match = /^([1-9]\d{0,5})x([1-9]\d?)$/.exec(argument ?? '50x1');
  if (!match) {
    throw new SublaceError('INVALID_ARGUMENT', `architecture: expected mlp:WIDTHxDEPTH such as mlp:50x2, got 'mlp:${argument}'`);
  }
  const [width, depth] = [Number(match[1]), Number(match[2])];
  const initialisers = layerInitialisers(options.seed);
  const input = tf.input({ shape: [...options.inputShape], name: 'input' });
  let x = input;
  if (options.inputShape.length > 1) x = tf.layers.flatten({ name: 'flatten' }).apply(x) as tf.SymbolicTensor;
  for (let index = 1; index <= depth; index++) {
    const layer = tf.layers.dense({ units: width, activation: 'relu', kernelInitializer: initialisers.hidden(), name: `dense${index}` });
    x = layer.apply(x) as tf.SymbolicTensor;
  }
  const output = tf.layers.dense({ units: options.outputCount, kernelInitializer: initialisers.output(), name: 'output' });
  return tf.model({ inputs: input, outputs: output.apply(x) as tf.SymbolicTensor, name: 'mlp' });
}
