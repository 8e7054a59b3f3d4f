import { Identity, Reshape } from '../../layers/shape-layers.ts';
import { Padding } from '../../layers/spatial-layers.ts';
import type { Builders } from './builder.ts';
import { channelsLast } from './common.ts';

/** Layers that do nothing in inference mode. */
const IDENTITIES = [
  'Dropout',
  'SpatialDropout1D',
  'SpatialDropout2D',
  'AlphaDropout',
  'GaussianDropout',
  'GaussianNoise',
  'ActivityRegularization',
];

/** Layers that move numbers without changing them, or do nothing in inference mode. */
export const SHAPE_BUILDERS: Builders = {
  ZeroPadding2D: (name, options) => [new Padding(channelsLast(name, options), 'ZeroPadding2D', options.pads())],
  Flatten: (name, options) => [new Reshape(channelsLast(name, options), [-1])],
  Reshape: (name, options) => [new Reshape(name, options.numbers('target_shape'))],
  ...Object.fromEntries(IDENTITIES.map((className) => [className, (name: string) => [new Identity(name, className)]])),
};
