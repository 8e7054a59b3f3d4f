import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '@sublace/backend';
import { useSummedTileGradient } from './tile-gradient.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

describe('useSummedTileGradient', () => {
  it.each([
    [[3], [2]],
    [
      [2, 1],
      [1, 4],
    ],
    [
      [1, 2, 3],
      [4, 3, 1],
    ],
    [
      [2, 1, 2, 1],
      [1, 3, 2, 2],
    ],
  ])('gives the gradient that tf.js gives, of %j tiled %j times, and leaves nothing behind', (shape, repetitions) => {
    tf.tidy(() => {
      const x = tf.randomNormal(shape, 0, 1, 'float32', 1);
      const d = tf.randomNormal(
        shape.map((extent, axis) => extent * repetitions[axis]),
        0,
        1,
        'float32',
        2,
      );
      const gradient = (): tf.Tensor => tf.grad((value: tf.Tensor) => tf.tile(value, repetitions))(x, d);
      const expected = gradient();
      const undo = useSummedTileGradient();
      const before = tf.memory().numTensors;
      const got = gradient();
      expect(tf.memory().numTensors).toBe(before + 1);
      undo();
      expect(got.shape).toEqual(expected.shape);
      expect(tf.max(tf.abs(tf.sub(got, expected))).dataSync()[0]).toBeLessThan(1e-5);
      expect(gradient().dataSync()).toEqual(expected.dataSync());
    });
  });
});
