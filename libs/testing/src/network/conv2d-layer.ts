import type { TestRandom } from '../random.ts';
import { float32Normals, type NaiveLayer } from './layer.ts';

/** Geometry of a convolution, channels last. */
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
  const [height, width, channels] = inputShape;
  const shape = [kernelSize, kernelSize, channels, filters];
  const kernel = float32Normals(random, shape, kernelSize ** 2 * channels);
  const bias = float32Normals(random, [filters], 4);
  const rows = axis(height, geometry);
  const columns = axis(width, geometry);

  /** Visits every product of the convolution: flat positions in output, kernel and input. */
  const visit = (each: (output: number, weight: number, input: number) => void): void => {
    for (let p = 0; p < rows.outputs; p++)
      for (let q = 0; q < columns.outputs; q++)
        for (let ky = 0; ky < kernelSize; ky++)
          for (let kx = 0; kx < kernelSize; kx++) {
            const [y, x] = [p * stride + ky - rows.before, q * stride + kx - columns.before];
            if (y < 0 || y >= height || x < 0 || x >= width) continue;
            for (let i = 0; i < channels; i++)
              for (let o = 0; o < filters; o++)
                each(
                  (p * columns.outputs + q) * filters + o,
                  ((ky * kernelSize + kx) * channels + i) * filters + o,
                  (y * width + x) * channels + i,
                );
          }
  };
  const outputCount = rows.outputs * columns.outputs * filters;
  return {
    className: 'Conv2D',
    config: {
      name,
      filters,
      kernel_size: [kernelSize, kernelSize],
      strides: [stride, stride],
      padding,
      activation: 'linear',
      use_bias: true,
    },
    weights: [
      { name: `${name}/kernel`, shape, values: kernel },
      { name: `${name}/bias`, shape: [filters], values: bias },
    ],
    forward: (x) => {
      const y = Array.from({ length: outputCount }, (_, i) => bias[i % filters]);
      visit((output, weight, input) => {
        y[output] += x[input] * kernel[weight];
      });
      return y;
    },
    backward: (x, g) => {
      const weights = new Array<number>(kernel.length + filters).fill(0);
      const input = new Array<number>(x.length).fill(0);
      visit((output, weight, position) => {
        weights[weight] += x[position] * g[output];
        input[position] += kernel[weight] * g[output];
      });
      g.forEach((value, i) => {
        weights[kernel.length + (i % filters)] += value;
      });
      return { weights, input };
    },
  };
}

/** Outputs along one axis, and zeros put before the input. */
function axis(extent: number, { kernelSize, stride, padding }: Conv2dGeometry): { outputs: number; before: number } {
  if (padding === 'valid') return { outputs: Math.floor((extent - kernelSize) / stride) + 1, before: 0 };
  const outputs = Math.ceil(extent / stride);
  return { outputs, before: Math.floor(Math.max((outputs - 1) * stride + kernelSize - extent, 0) / 2) };
}
