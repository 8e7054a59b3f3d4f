import type { TestRandom } from '../random.ts';
import { randomConvolution } from './convolution-layers.ts';
import type { NaiveLayer } from './layer.ts';

/** Geometry of a plain convolution, channels last: a square kernel, the same stride both ways. */
export interface Conv2dGeometry {
  /** [H, W, I] */
  readonly inputShape: readonly [number, number, number];
  /** Side of the square kernel. */
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: 'same' | 'valid';
  /** O. */
  readonly filters: number;
}

/**
 * A 2-D convolution with random weights: y[p, q, o] = b_o + sum over (ky, kx, i) of x[p s + ky - top, q s + kx - left, i] W[ky, kx, i, o].
 *
 * @param random  Where from.
 * @param name  Layer name.
 * @param geometry  Shapes, stride and padding, by TensorFlow's rules.
 * @returns  The layer.
 */
export function randomConv2d(random: TestRandom, name: string, geometry: Conv2dGeometry): NaiveLayer {
  const { inputShape, kernelSize, stride, padding, filters } = geometry;
  return randomConvolution(random, name, 2, {
    inputShape,
    kernelSize: [kernelSize, kernelSize],
    strides: [stride, stride],
    padding,
    dilations: [1, 1],
    groups: 1,
    filters,
    hasBias: true,
  });
}
