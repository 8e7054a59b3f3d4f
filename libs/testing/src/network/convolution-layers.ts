import type { TestRandom } from '../random.ts';
import type { NaiveLayer } from './layer.ts';
import { randomProducts } from './products-layer.ts';
import { positionCount, visitPlaces, type SlidingGeometry } from './sliding.ts';

/** Geometry of a convolution, channels last; a sequence is an image of height one. */
export interface ConvolutionGeometry extends SlidingGeometry {
  readonly groups: number;
  /** Output channels, or output channels per input channel of a depthwise convolution. */
  readonly filters: number;
  readonly hasBias: boolean;
}

/** Options as a model file has them, for one axis or two. */
function configOf(name: string, dimensions: 1 | 2, geometry: ConvolutionGeometry): { readonly name: string } {
  const axes = (pair: readonly [number, number]): number[] => (dimensions === 2 ? [...pair] : [pair[1]]);
  const [kernelSize, strides, dilationRate] = [axes(geometry.kernelSize), axes(geometry.strides), axes(geometry.dilations)];
  return { name, ...{ kernel_size: kernelSize, strides, padding: geometry.padding, dilation_rate: dilationRate } };
}

/**
 * Conv1D or Conv2D with random weights: y[q, o] = b_o + sum over (k, i of o's group) of x[q stride + k dilation - before, i] W[k, i, o].
 *
 * @param random  Where from.
 * @param name  Layer name.
 * @param dimensions  Axes that the kernel slides along.
 * @param geometry  Shapes and options.
 * @returns  The layer.
 */
export function randomConvolution(random: TestRandom, name: string, dimensions: 1 | 2, geometry: ConvolutionGeometry): NaiveLayer {
  const { inputShape, kernelSize, groups, filters, hasBias } = geometry;
  const [channels, perGroup, filtersPerGroup] = [inputShape[2], inputShape[2] / groups, filters / groups];
  const fanIn = kernelSize[0] * kernelSize[1] * perGroup;
  return randomProducts(random, {
    className: `Conv${dimensions}D`,
    config: { ...configOf(name, dimensions, geometry), ...{ filters, groups } },
    kernelShape: [...kernelSize.slice(2 - dimensions), perGroup, filters],
    fanIn,
    biasCount: hasBias ? filters : 0,
    outputCount: positionCount(geometry) * filters,
    visit: (each) => {
      visitPlaces(geometry, (output, place, input) => {
        for (let i = 0; i < perGroup; i++)
          for (let o = 0; o < filters; o++) {
            const channel = Math.floor(o / filtersPerGroup) * perGroup + i;
            each(output * filters + o, (place * perGroup + i) * filters + o, input * channels + channel);
          }
      });
    },
  });
}

/**
 * DepthwiseConv1D or 2D with random weights: y[q, i M + m] = b + sum over k of x[..., i] W[k, i, m].
 *
 * @param random  Where from.
 * @param name  Layer name.
 * @param dimensions  Axes that the kernel slides along.
 * @param geometry  Shapes and options; `filters` is the depth multiplier M.
 * @returns  The layer.
 */
export function randomDepthwise(random: TestRandom, name: string, dimensions: 1 | 2, geometry: ConvolutionGeometry): NaiveLayer {
  const { inputShape, kernelSize, filters: multiplier, hasBias } = geometry;
  const channels = inputShape[2];
  return randomProducts(random, {
    className: `DepthwiseConv${dimensions}D`,
    config: { ...configOf(name, dimensions, geometry), ...{ depth_multiplier: multiplier } },
    kernelName: 'depthwise_kernel',
    kernelShape: [...kernelSize.slice(2 - dimensions), channels, multiplier],
    fanIn: kernelSize[0] * kernelSize[1],
    biasCount: hasBias ? channels * multiplier : 0,
    outputCount: positionCount(geometry) * channels * multiplier,
    visit: (each) => {
      visitPlaces(geometry, (output, place, input) => {
        for (let c = 0; c < channels * multiplier; c++) {
          const channel = Math.floor(c / multiplier);
          each(output * channels * multiplier + c, place * channels * multiplier + c, input * channels + channel);
        }
      });
    },
  });
}

/**
 * SeparableConv1D or 2D with random weights: a depthwise convolution without bias, then a convolution of size one.
 *
 * @param random  Where from.
 * @param name  Layer name.
 * @param dimensions  Axes that the kernel slides along.
 * @param geometry  Shapes and options; `filters` are those of the second step.
 * @param multiplier  Channels that the first step makes of each.
 * @returns  The layer.
 */
export function randomSeparable(
  random: TestRandom,
  name: string,
  dimensions: 1 | 2,
  geometry: ConvolutionGeometry,
  multiplier: number,
): NaiveLayer {
  const { filters, hasBias, inputShape } = geometry;
  const first = randomDepthwise(random, name, dimensions, { ...geometry, filters: multiplier, hasBias: false });
  const second = randomConvolution(random, name, dimensions, {
    inputShape: [1, positionCount(geometry), inputShape[2] * multiplier],
    kernelSize: [1, 1],
    strides: [1, 1],
    padding: 'valid',
    dilations: [1, 1],
    groups: 1,
    filters,
    hasBias,
  });
  const [pointwise, ...bias] = second.weights;
  return {
    className: `SeparableConv${dimensions}D`,
    config: { ...first.config, filters, use_bias: hasBias },
    weights: [...first.weights, { ...pointwise, name: `${name}/pointwise_kernel` }, ...bias],
    forward: (x) => second.forward(first.forward(x)),
    backward: (x, g) => {
      const upper = second.backward(first.forward(x), g);
      const lower = first.backward(x, upper.input);
      return { weights: [...lower.weights, ...upper.weights], input: lower.input };
    },
  };
}

/**
 * Conv2DTranspose with random weights: each input adds x_i W[k, o, i] at output position q stride + k - before.
 *
 * @param random  Where from.
 * @param name  Layer name.
 * @param geometry  Shapes and options, without dilations and groups.
 * @returns  The layer.
 */
export function randomTransposedConvolution(
  random: TestRandom,
  name: string,
  geometry: Omit<ConvolutionGeometry, 'dilations' | 'groups'> & { readonly padding: 'same' | 'valid' },
): NaiveLayer {
  const { inputShape, kernelSize, strides, padding, filters, hasBias } = geometry;
  const [height, width, channels] = inputShape;
  const extents = [0, 1].map((axis) => {
    const [k, stride] = [kernelSize[axis], strides[axis]];
    return inputShape[axis] * stride + (padding === 'valid' ? Math.max(k - stride, 0) : 0);
  });
  const before = [0, 1].map((axis) => (padding === 'valid' ? 0 : Math.floor(Math.max(kernelSize[axis] - strides[axis], 0) / 2)));
  return randomProducts(random, {
    className: 'Conv2DTranspose',
    config: { name, ...{ kernel_size: kernelSize, strides, padding, filters } },
    kernelShape: [...kernelSize, filters, channels],
    fanIn: channels,
    biasCount: hasBias ? filters : 0,
    outputCount: extents[0] * extents[1] * filters,
    visit: (each) => {
      for (let p = 0; p < height; p++)
        for (let q = 0; q < width; q++)
          for (let ky = 0; ky < kernelSize[0]; ky++)
            for (let kx = 0; kx < kernelSize[1]; kx++) {
              const [y, x] = [p * strides[0] + ky - before[0], q * strides[1] + kx - before[1]];
              if (y < 0 || y >= extents[0] || x < 0 || x >= extents[1]) continue;
              for (let o = 0; o < filters; o++)
                for (let i = 0; i < channels; i++)
                  each(
                    (y * extents[1] + x) * filters + o,
                    ((ky * kernelSize[1] + kx) * filters + o) * channels + i,
                    (p * width + q) * channels + i,
                  );
            }
    },
  });
}
