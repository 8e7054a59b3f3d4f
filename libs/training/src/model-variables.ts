import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';

/**
 * The tf.js variables behind weights of a model.
 *
 * @param weights  `model.weights` or `model.trainableWeights`.
 * @returns  Their variables, in the same order. Borrowed from the model.
 */
export function variablesOf(weights: tf.LayersModel['weights']): tf.Variable[] {
  return weights.map((weight) => {
    const variable: unknown = weight.read();
    if (!(variable instanceof tf.Variable)) throw new SublaceError('INTERNAL', `expected a variable behind the weight ${weight.name}`);
    return variable as tf.Variable;
  });
}
