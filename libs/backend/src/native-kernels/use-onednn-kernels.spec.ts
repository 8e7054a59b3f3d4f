import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../start-backend.ts';
import { useOnednnKernels } from './use-onednn-kernels.ts';

let isNativeCpu = false;

beforeAll(async () => {
  const { name, device } = await startBackend({ threads: 1 });
  isNativeCpu = name === 'tensorflow' && device === 'cpu';
});

const random = (shape: number[], seed: number): tf.Tensor => tf.randomNormal(shape, 0, 1, 'float32', seed);

/** What each operation computes, also at sizes where it stays with TensorFlow's own kernel. */
const CASES: Record<string, () => tf.Tensor> = {
  convolution: () => tf.conv2d(random([3, 7, 6, 2], 1) as tf.Tensor4D, random([3, 2, 2, 5], 2) as tf.Tensor4D, [2, 1], 'same'),
  'convolution to one column by different strides': () =>
    tf.conv2d(random([2, 3, 2, 1], 1) as tf.Tensor4D, random([1, 2, 1, 1], 2) as tf.Tensor4D, [1, 3], 'same'),
  'dilated convolution': () =>
    tf.conv2d(random([2, 9, 9, 3], 1) as tf.Tensor4D, random([3, 3, 3, 4], 2) as tf.Tensor4D, 1, 'valid', 'NHWC', 2),
  'gradient in its input': () =>
    tf.conv2dTranspose(random([2, 4, 3, 5], 3) as tf.Tensor4D, random([3, 3, 2, 5], 4) as tf.Tensor4D, [2, 8, 6, 2], 2, 'same'),
  'gradient in its filter': () =>
    tf.grad((kernel) => tf.conv2d(random([3, 6, 5, 2], 5) as tf.Tensor4D, kernel as tf.Tensor4D, 1, 'valid'))(random([3, 2, 2, 4], 6)),
  'small product': () => tf.matMul(random([5, 7], 7), random([7, 3], 8)),
  'large product': () => tf.matMul(random([130, 90], 7), random([120, 90], 8), false, true),
  'transposed product': () => tf.matMul(random([90, 130], 7), random([90, 120], 8), true, false),
  'batched product': () => tf.matMul(random([6, 70, 50], 7), random([6, 50, 60], 8)),
  'broadcast product': () => tf.matMul(random([6, 70, 50], 7), random([1, 50, 60], 8)),
  'product of integers': () => tf.matMul(tf.ones([130, 130], 'int32'), tf.ones([130, 130], 'int32')),
};

describe('oneDNN kernels', () => {
  it.for(Object.keys(CASES))('%s is what plain JavaScript computes', async (name, context) => {
    if (name === 'product of integers' && tf.getBackend() === 'wasm') context.skip('WebAssembly multiplies float32 only');
    const running = tf.getBackend();
    const got = tf.tidy(() => CASES[name]().dataSync());
    await tf.setBackend('cpu');
    const expected = tf.tidy(() => CASES[name]().dataSync());
    await tf.setBackend(running);
    const scale = Math.max(...expected.map(Math.abs));
    expect(got).toHaveLength(expected.length);
    expect(Math.max(...got.map((value, i) => Math.abs(value - expected[i])))).toBeLessThan(2e-6 * scale);
  });

  it('are found once, and probing them leaves no tensor behind', (context) => {
    if (!isNativeCpu) context.skip('needs the native runtime on a CPU');
    const before = tf.memory().numTensors;
    expect(useOnednnKernels()).toBe(useOnednnKernels());
    expect(tf.memory().numTensors).toBe(before);
  });
});
