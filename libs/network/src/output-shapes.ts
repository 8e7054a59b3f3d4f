import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import type { Node } from './network.ts';

/**
 * Output shape of every node, by passing one example of zeros.
 *
 * @param nodes  Nodes, each after its inputs.
 * @param inputShape  Shape of one example.
 * @returns  [1, ...] for each node.
 * @throws {SublaceError} MODEL_INVALID when a layer does not accept its input, by name.
 */
export function outputShapes(nodes: readonly Node[], inputShape: readonly number[]): number[][] {
  return tf.tidy(() => {
    const values: tf.Tensor[] = [];
    const example = tf.zeros([1, ...inputShape]);
    for (const { layer, inputs } of nodes) {
      const given = inputs.map((i) => (i < 0 ? example : values[i]));
      try {
        values.push(layer.forward(given).output);
      } catch (error) {
        const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
        const shapes = given.map(({ shape }) => `[${shape.slice(1).join(', ')}]`).join(' and ');
        throw new SublaceError(
          'MODEL_INVALID',
          `layer '${layer.name}' (${layer.className}) does not accept its input ${shapes}: ${reason}`,
          { cause: error },
        );
      }
    }
    return values.map((value) => value.shape);
  });
}
