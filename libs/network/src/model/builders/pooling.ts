import type { Layer } from '../../layers/layer.ts';
import { OnSequences } from '../../layers/on-sequences.ts';
import { AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D } from '../../layers/pooling.ts';
import { Reshape } from '../../layers/shape-layers.ts';
import type { LayerOptions } from '../layer-options.ts';
import type { Builder, Builders } from './builder.ts';
import { channelsLast } from './common.ts';

/** What a pooling layer of images is made from. */
type PoolingOptions = ConstructorParameters<typeof MaxPooling2D>[1];

/** Pooling. */
export const POOLING_BUILDERS: Builders = {
  MaxPooling1D: (name, options) => [new OnSequences('MaxPooling1D', new MaxPooling2D(name, sequenceOptions(options)))],
  MaxPooling2D: (name, options) => [new MaxPooling2D(name, imageOptions(options))],
  AveragePooling1D: (name, options) => [new OnSequences('AveragePooling1D', new AveragePooling2D(name, sequenceOptions(options)))],
  AveragePooling2D: (name, options) => [new AveragePooling2D(name, imageOptions(options))],
  GlobalAveragePooling1D: global(1, (name) => new OnSequences('GlobalAveragePooling1D', new GlobalAveragePooling2D(name))),
  GlobalAveragePooling2D: global(2, (name) => new GlobalAveragePooling2D(name)),
  GlobalMaxPooling1D: global(1, (name) => new OnSequences('GlobalMaxPooling1D', new GlobalMaxPooling2D(name))),
  GlobalMaxPooling2D: global(2, (name) => new GlobalMaxPooling2D(name)),
};

function imageOptions(options: LayerOptions): PoolingOptions {
  options.expect('data_format', ['channels_last']);
  const size = options.pair('pool_size', [2, 2]);
  return { size, strides: options.pair('strides', size), padding: options.padding() };
}

/** A sequence is an image of height one. */
function sequenceOptions(options: LayerOptions): PoolingOptions {
  options.expect('data_format', ['channels_last']);
  const size = options.single('pool_size', 2);
  return { size: [1, size], strides: [1, options.single('strides', size)], padding: options.padding() };
}

/** A pooling layer over all positions, whose axes are kept with extent one when `keepdims` says so. */
function global(dimensions: 1 | 2, build: (name: string) => Layer): Builder {
  return (name, options) => {
    const layer = build(channelsLast(name, options));
    const keepsAxes = options.flag('keepdims', false);
    return keepsAxes ? [layer, new Reshape(`${name}/keepdims`, [...new Array<number>(dimensions).fill(1), -1])] : [layer];
  };
}
