import { startBackend } from '@sublace/backend';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildLayer } from './build-layer.ts';
import { WeightTable } from './weights.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** Weight shapes that the layers below ask for. */
const SHAPES: Readonly<Record<string, number[]>> = {
  kernel: [2, 2, 1, 1],
  bias: [1],
  depthwise_kernel: [2, 2, 1, 1],
  pointwise_kernel: [1, 1, 1, 1],
};

/** The layer, fed by weights called `layer/...`. */
function build(className: string, config: Record<string, unknown>): void {
  const specs = Object.entries(SHAPES).map(([name, shape]) => ({ name: `layer/${name}`, shape, dtype: 'float32' as const }));
  const elements = specs.reduce((sum, { shape }) => sum + shape.reduce((size, extent) => size * extent, 1), 0);
  const table = new WeightTable(specs, new Uint8Array(4 * elements));
  try {
    buildLayer({ name: 'layer', className, config: { name: 'layer', ...config }, calls: [] }, table);
  } finally {
    tf.dispose(table.tensors);
  }
}

describe('buildLayer', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['Conv2D', { data_format: 'channels_first' }, 'data_format: expected "channels_last", got "channels_first"'],
    ['Conv2D', { padding: 'causal' }, `padding: expected 'same' or 'valid', got "causal"`],
    ['Conv2D', { strides: 2, dilation_rate: [1, 2] }, 'dilation_rate: expected 1 with strides above 1, got [1,2]'],
    ['Conv1D', { strides: [1, 1] }, 'strides: expected one number, got [1,1]'],
    ['DepthwiseConv2D', { dilation_rate: 2 }, 'dilation_rate: expected 1, got [2,2]; tf.js runs it without dilation, Keras with'],
    ['DepthwiseConv2D', { data_format: 'channels_first' }, 'data_format: expected "channels_last"'],
    ['SeparableConv2D', { data_format: 'channels_first' }, 'data_format: expected "channels_last"'],
    ['Conv2DTranspose', { data_format: 'channels_first' }, 'data_format: expected "channels_last"'],
    ['Conv2DTranspose', { output_padding: [1, 1] }, 'output_padding: expected none, got [1,1]'],
    ['Conv2DTranspose', { dilation_rate: [2, 2] }, 'dilation_rate: expected [1,1], got [2,2]'],
    ['MaxPooling1D', { data_format: 'channels_first' }, 'data_format: expected "channels_last"'],
    ['GlobalAveragePooling1D', { data_format: 'channels_first' }, 'data_format: expected "channels_last"'],
    ['ZeroPadding2D', { padding: [1, 2, 3] }, 'padding: expected a number, two numbers or two pairs, got [1,2,3]'],
    ['Cropping2D', { data_format: 'channels_first' }, 'data_format: expected "channels_last"'],
    ['UpSampling2D', { interpolation: 'bicubic' }, 'interpolation: expected "nearest" or "bilinear", got "bicubic"'],
    ['Reshape', { target_shape: 'wide' }, 'target_shape: expected a list of numbers, got "wide"'],
    ['Rescaling', { scale: [1, 2] }, 'scale: expected a number, got [1,2]'],
    ['Softmax', { axis: 'last' }, 'axis: expected a number or a list of numbers, got "last"'],
  ])('refuses %s with %j by name', (className, config, message) => {
    expect(() => {
      build(className, config);
    }).toThrow(message);
    expect(() => {
      build(className, config);
    }).toThrow("'layer'");
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['Permute', { dims: [1, 1] }, 'expected an order of axes 1..2, got 1, 1'],
    [
      'LayerNormalization',
      { axis: [2, 1], scale: false, center: false },
      'expected layer normalisation over ascending axes in 1..2, got 2, 1',
    ],
    ['Cropping1D', { cropping: [2, 3] }, 'expected some positions to be left after cropping [[2,3]]'],
    ['Softmax', { axis: 0 }, 'expected softmax over axes in 1..2, got 0'],
    ['RepeatVector', { n: 2 }, 'expected a vector, got rank 2'],
    ['ZeroPadding2D', {}, 'expected 2 axes and channels, got rank 2'],
  ])('%s with %j refuses an input that does not fit', (className, config, message) => {
    const [layer] = buildLayer(
      { name: 'layer', className, config: { name: 'layer', ...config }, calls: [] },
      new WeightTable([], new Uint8Array(0)),
    );
    expect(() => tf.tidy(() => layer.forward([tf.zeros([1, 5, 2])]).output)).toThrow(message);
  });

  it('refuses groups that channels or filters do not divide into', () => {
    const values = new Uint8Array(4 * 6);
    const table = new WeightTable([{ name: 'layer/kernel', shape: [1, 1, 2, 3], dtype: 'float32' }], values);
    const config = { name: 'layer', groups: 2, use_bias: false };
    const [layer] = buildLayer({ name: 'layer', className: 'Conv2D', config, calls: [] }, table);
    const forward = (channels: number) => () => tf.tidy(() => layer.forward([tf.zeros([1, 2, 2, channels])]).output);
    expect(forward(3)).toThrow('expected 4 channels and a multiple of 2 filters, got 3 and 3');
    expect(forward(4)).toThrow('expected 4 channels and a multiple of 2 filters, got 4 and 3');
    tf.dispose(table.tensors);
  });
});
