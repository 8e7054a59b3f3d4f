import { float64 } from '@sublace/backend';
import * as tf from '@tensorflow/tfjs';
import type { Bench } from './bench.ts';
import type { Floors } from './measurement.ts';
import { quantile } from './report/statistics.ts';

/** The product in which tiles are updated and factorised: [1024, 4096] x [4096, 1024]. */
const PRODUCT = { rows: 1024, inner: 4096, columns: 1024 };

/** More than the caches hold. */
const COPY_BYTES = 256 * 2 ** 20;

/**
 * Measures matrix products by TensorFlow.
 *
 * @param bench  The process.
 * @returns  flop/s in float32 and float64: medians.
 */
export async function measureProducts(bench: Bench): Promise<Pick<Floors, 'float32' | 'float64'>> {
  const { rows, inner, columns } = PRODUCT;
  const flops = 2 * rows * inner * columns;
  const [a, b] = [tf.randomUniform([rows, inner], -1, 1), tf.randomUniform([columns, inner], -1, 1)];
  const single = await medianOf(bench, () => tf.dispose(tf.matMul(a, b, false, true)));
  const ops = float64();
  const [wideA, wideB] = [ops.fromTensor(a), ops.fromTensor(b)];
  const double = await medianOf(bench, () => ops.dispose(ops.matMul(wideA, wideB, { transposeB: true })));
  ops.dispose(wideA, wideB);
  tf.dispose([a, b]);
  return { float32: flops / single, float64: flops / double };
}

/**
 * Measures how fast memory is copied. It takes a lot of it, so it comes after the peak of the memory has been read.
 *
 * @param bench  The process.
 * @returns  Bytes copied per second: the median.
 */
export async function measureCopy(bench: Bench): Promise<number> {
  const [source, target] = [new Float32Array(COPY_BYTES / 4).fill(1), new Float32Array(COPY_BYTES / 4)];
  return COPY_BYTES / (await medianOf(bench, () => target.set(source)));
}

async function medianOf(bench: Bench, work: () => unknown): Promise<number> {
  return quantile(await bench.time(work), 0.5);
}
