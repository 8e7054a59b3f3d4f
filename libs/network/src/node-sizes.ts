import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import type { LayerTape } from './layers/layer.ts';
import type { Node } from './network.ts';

/** What one example takes at a node. */
export interface NodeSize {
  /** Shape of the output, [1, ...]. */
  readonly shape: readonly number[];
  /** Elements of its largest tensor: the output, or what the layer works with. */
  readonly elements: number;
}

/**
 * Sizes of every node, by passing one example of zeros.
 *
 * @param nodes  Nodes, each after its inputs.
 * @param inputShape  Shape of one example.
 * @returns  One per node.
 * @throws {SublaceError} MODEL_INVALID when a layer does not accept its input, by name.
 */
export function nodeSizes(nodes: readonly Node[], inputShape: readonly number[]): NodeSize[] {
  return tf.tidy(() => {
    const tapes: LayerTape[] = [];
    const example = tf.zeros([1, ...inputShape]);
    for (const { layer, inputs } of nodes) {
      const given = inputs.map((i) => (i < 0 ? example : tapes[i].output));
      try {
        tapes.push(layer.forward(given));
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
    return nodes.map(({ layer }, i) => {
      const { output } = tapes[i];
      return { shape: output.shape, elements: Math.max(output.size, layer.workElements?.(tapes[i]) ?? 0) };
    });
  });
}
