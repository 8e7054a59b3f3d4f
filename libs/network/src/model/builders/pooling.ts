import { AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D } from '../../layers/pooling.ts';
import type { LayerOptions } from '../layer-options.ts';
import type { Builders } from './builder.ts';
import { channelsLast } from './common.ts';

/** Pooling. */
export const POOLING_BUILDERS: Builders = {
  MaxPooling2D: (name, options) => [new MaxPooling2D(name, poolingOptions(options))],
  AveragePooling2D: (name, options) => [new AveragePooling2D(name, poolingOptions(options))],
  GlobalAveragePooling2D: (name, options) => [new GlobalAveragePooling2D(channelsLast(name, options))],
  GlobalMaxPooling2D: (name, options) => [new GlobalMaxPooling2D(channelsLast(name, options))],
};

function poolingOptions(options: LayerOptions): ConstructorParameters<typeof MaxPooling2D>[1] {
  options.expect('data_format', ['channels_last']);
  const size = options.pair('pool_size', [2, 2]);
  return { size, strides: options.pair('strides', size), padding: options.padding() };
}
