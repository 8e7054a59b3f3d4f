import type * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import { Conv2DTranspose } from '../../layers/conv2d-transpose.ts';
import { Conv2D } from '../../layers/conv2d.ts';
import { DepthwiseConv2D } from '../../layers/depthwise-conv2d.ts';
import { GroupedConv2D } from '../../layers/grouped-conv2d.ts';
import type { Layer } from '../../layers/layer.ts';
import { OnSequences } from '../../layers/on-sequences.ts';
import { SeparableConv2D } from '../../layers/separable-conv2d.ts';
import { Padding as PaddingLayer } from '../../layers/spatial-layers.ts';
import type { Padding } from '../../layers/window.ts';
import type { LayerOptions } from '../layer-options.ts';
import type { WeightTable } from '../weights.ts';
import { activationLayers } from './activation.ts';
import type { Builder, Builders } from './builder.ts';
import { biasOf } from './common.ts';

/** Axes that a kernel slides along. */
type Dimensions = 1 | 2;

/** How a kernel slides over an image; a sequence is an image of height one. */
interface Sliding {
  readonly strides: [number, number];
  readonly padding: Padding;
  readonly dilations: [number, number];
}

/** Convolutions. */
export const CONVOLUTION_BUILDERS: Builders = {
  Conv1D: convolution(1),
  Conv2D: convolution(2),
  DepthwiseConv1D: depthwise(1),
  DepthwiseConv2D: depthwise(2),
  SeparableConv1D: separable(1),
  SeparableConv2D: separable(2),
  Conv2DTranspose: (name, options, weights) => {
    options.expect('data_format', ['channels_last']);
    options.expectPair('dilation_rate', [1, 1]);
    options.expect('output_padding', [], 'none');
    const kernel = weights.get(name, 'kernel') as tf.Tensor4D;
    const bias = biasOf(name, options, weights);
    return [
      new Conv2DTranspose(name, kernel, bias, options.pair('strides', [1, 1]), options.padding()),
      ...activationLayers(name, options),
    ];
  },
};

function convolution(dimensions: Dimensions): Builder {
  return (name, options, weights) => {
    const kernel = weights.get(name, 'kernel');
    const { strides, padding, dilations } = slidingOf(dimensions, options);
    const groups = options.number('groups', 1);
    const [image, bias] = [imageKernel(kernel, dimensions, weights), biasOf(name, options, weights)];
    const layer =
      groups === 1
        ? new Conv2D(name, image, bias, strides, padding, dilations)
        : new GroupedConv2D(name, image, bias, { groups, strides, padding, dilations });
    return slidingNodes(name, dimensions, options, layer, [kernel, ...(bias ? [bias] : [])]);
  };
}

function depthwise(dimensions: Dimensions): Builder {
  return (name, options, weights) => {
    const sliding = slidingOf(dimensions, options);
    if (dimensions === 2 && sliding.dilations.some((dilation) => dilation > 1)) {
      throw new SublaceError(
        'MODEL_UNSUPPORTED',
        `layer '${name}' (DepthwiseConv2D): dilation_rate: expected 1, got ${JSON.stringify(sliding.dilations)}; tf.js runs it without dilation, Keras with`,
      );
    }
    const kernel = weights.first(name, ['depthwise_kernel', 'kernel']);
    const bias = biasOf(name, options, weights);
    const layer = new DepthwiseConv2D(name, imageKernel(kernel, dimensions, weights), bias, sliding);
    return slidingNodes(name, dimensions, options, layer, [kernel, ...(bias ? [bias] : [])]);
  };
}

function separable(dimensions: Dimensions): Builder {
  return (name, options, weights) => {
    const [depthwiseKernel, pointwiseKernel] = [weights.get(name, 'depthwise_kernel'), weights.get(name, 'pointwise_kernel')];
    const bias = biasOf(name, options, weights);
    const images = {
      depthwise: imageKernel(depthwiseKernel, dimensions, weights),
      pointwise: imageKernel(pointwiseKernel, dimensions, weights),
      bias,
    };
    const layer = new SeparableConv2D(name, images, slidingOf(dimensions, options));
    return slidingNodes(name, dimensions, options, layer, [depthwiseKernel, pointwiseKernel, ...(bias ? [bias] : [])]);
  };
}

/** The nodes of a layer that slides a kernel: zeros in front of a causal one, the layer, its activation. */
function slidingNodes(name: string, dimensions: Dimensions, options: LayerOptions, images: Layer, weights: readonly tf.Tensor[]): Layer[] {
  const activation = activationLayers(name, options);
  if (dimensions === 2) return [images, ...activation];
  const layer = new OnSequences(images.className.replace('2D', '1D'), images, weights);
  if (!isCausal(options)) return [layer, ...activation];
  const reach = (weights[0].shape[0] - 1) * options.single('dilation_rate', 1);
  return [new PaddingLayer(`${name}/padding`, 'ZeroPadding1D', [[reach, 0]]), layer, ...activation]; // prettier-ignore
}

/** Reads how a kernel slides; channels first is refused, and strides together with dilations. */
function slidingOf(dimensions: Dimensions, options: LayerOptions): Sliding {
  options.expect('data_format', ['channels_last']);
  const read = (key: string): [number, number] => (dimensions === 2 ? options.pair(key, [1, 1]) : [1, options.single(key, 1)]);
  const [strides, dilations] = [read('strides'), read('dilation_rate')];
  if (Math.max(...strides) > 1 && Math.max(...dilations) > 1) options.expect('dilation_rate', [], '1 with strides above 1');
  // A causal convolution is one without padding behind its zeros.
  const padding = dimensions === 1 && isCausal(options) ? 'valid' : options.padding();
  return { strides, padding, dilations };
}

function isCausal(options: LayerOptions): boolean {
  return options.text('padding', 'valid') === 'causal';
}

/** The kernel over images: for sequences [k, ...] as [1, k, ...], owned by the table. */
function imageKernel(kernel: tf.Tensor, dimensions: Dimensions, weights: WeightTable): tf.Tensor4D {
  return (dimensions === 2 ? kernel : weights.reshaped(kernel, [1, ...kernel.shape])) as tf.Tensor4D;
}
