import * as tf from '@tensorflow/tfjs';

/**
 * Replaces tf.js's gradient of tiling, which slices and adds once per repetition: layer normalisation tiles its weights over the batch, so that one
 * training step took thousands of operations.
 *
 *   d_x = sum of d over the repetitions, by one reshape and one sum
 *
 * @returns  Puts tf.js's own gradient back.
 */
export function useSummedTileGradient(): () => void {
  const original = tf.getGradient('Tile');
  tf.unregisterGradient('Tile');
  tf.registerGradient({
    kernelName: 'Tile',
    inputsToSave: ['x'],
    gradFunc: (d, [x], attributes) => ({ x: () => tileGradient(d as tf.Tensor, x.shape, attributes['reps'] as number[]) }),
  });
  return () => {
    tf.unregisterGradient('Tile');
    tf.registerGradient(original);
  };
}

/**
 * Gradient of tf.tile in its input.
 *
 * @param d  Gradient at the output, [repetitions[0] shape[0], ...].
 * @param shape  Shape of the input.
 * @param repetitions  Per axis.
 * @returns  [...shape]
 */
export function tileGradient(d: tf.Tensor, shape: readonly number[], repetitions: readonly number[]): tf.Tensor {
  return tf.tidy(() => {
    const apart = tf.reshape(
      d,
      shape.flatMap((extent, axis) => [repetitions[axis], extent]),
    );
    return tf.sum(
      apart,
      shape.map((_, axis) => 2 * axis),
    );
  });
}
