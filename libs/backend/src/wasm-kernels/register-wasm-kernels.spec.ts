import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../start-backend.ts';
import { registerWasmKernels } from './register-wasm-kernels.ts';

beforeAll(async () => {
  await startBackend({ threads: 1, runtime: 'wasm' });
});

/** The same computation on WebAssembly and on the plain JavaScript backend of tf.js, which has every kernel. */
async function onBoth(compute: () => tf.Tensor): Promise<{ wasm: Float32Array; plain: Float32Array; leakCount: number }> {
  const run = async (backend: string): Promise<Float32Array> => {
    await tf.setBackend(backend);
    return tf.tidy(() => compute().dataSync<'float32'>().slice());
  };
  const before = tf.memory().numTensors;
  const result = { wasm: await run('wasm'), plain: await run('cpu') };
  await tf.setBackend('wasm');
  return { ...result, leakCount: tf.memory().numTensors - before };
}

/** Largest difference, relative to the largest entry. */
function distance(a: Float32Array, b: Float32Array): number {
  const largest = (values: Float32Array): number => values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return a.length === b.length ? largest(a.map((value, index) => value - b[index])) / largest(b) : Number.POSITIVE_INFINITY;
}

describe('registerWasmKernels', () => {
  it('has added one kernel and replaced five, once', async () => {
    const names = registerWasmKernels();
    expect(names).toEqual([
      'Conv2DBackpropFilter',
      'BatchMatMul',
      'Conv2D',
      'FusedConv2D',
      'DepthwiseConv2dNative',
      'FusedDepthwiseConv2D',
    ]);
    expect(registerWasmKernels()).toBe(names);
    await tf.setBackend('cpu');
    expect(registerWasmKernels()).toEqual([]);
    await tf.setBackend('wasm');
  });

  it('differentiates convolutions in their filter as the plain backend does', async () => {
    const size = fc.integer({ min: 1, max: 4 });
    const shapes = fc.record({
      batch: size,
      height: fc.integer({ min: 3, max: 9 }),
      width: fc.integer({ min: 3, max: 9 }),
      inputs: size,
      outputs: size,
      kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      pad: fc.constantFrom('same', 'valid'),
    });
    await fc.assert(
      fc.asyncProperty(shapes, async ({ batch, height, width, inputs, outputs, kernel, strides, pad }) => {
        const { wasm, plain, leakCount } = await onBoth(() => {
          const x = tf.randomNormal<tf.Rank.R4>([batch, height, width, inputs], 0, 1, 'float32', 1);
          const filter = tf.randomNormal<tf.Rank.R4>([...kernel, inputs, outputs], 0, 1, 'float32', 2);
          return tf.grad((w) => tf.conv2d(x, w.reshape<tf.Tensor4D>(filter.shape), strides, pad).sin().sum())(filter);
        });
        expect(distance(wasm, plain)).toBeLessThan(1e-5);
        expect(leakCount).toBe(0);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('convolves each channel by itself with any stride as the plain backend does', async () => {
    const size = fc.integer({ min: 1, max: 3 });
    const shapes = fc.record({ height: fc.integer({ min: 3, max: 9 }), kernel: size, stride: size, channels: size, multiplier: size });
    await fc.assert(
      fc.asyncProperty(shapes, async ({ height, kernel, stride, channels, multiplier }) => {
        const { wasm, plain, leakCount } = await onBoth(() => {
          const x = tf.randomNormal<tf.Rank.R4>([2, height, 5, channels], 0, 1, 'float32', 1);
          const filter = tf.randomNormal<tf.Rank.R4>([kernel, 1, channels, multiplier], 0, 1, 'float32', 2);
          return tf.depthwiseConv2d(x, filter, stride, 'same');
        });
        expect(distance(wasm, plain)).toBeLessThan(1e-5);
        expect(leakCount).toBe(0);
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])('multiplies with transposeA %s and transposeB %s', async (transposeA, transposeB) => {
    const { wasm, plain, leakCount } = await onBoth(() => {
      const a = tf.randomNormal(transposeA ? [2, 5, 3] : [2, 3, 5], 0, 1, 'float32', 1);
      const b = tf.randomNormal(transposeB ? [1, 4, 5] : [1, 5, 4], 0, 1, 'float32', 2);
      return tf.matMul(a, b, transposeA, transposeB);
    });
    expect(wasm).toHaveLength(2 * 3 * 4);
    expect(distance(wasm, plain)).toBeLessThan(1e-6);
    expect(leakCount).toBe(0);
  });
});
