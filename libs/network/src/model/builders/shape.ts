import type { Layer } from '../../layers/layer.ts';
import { OnSequences } from '../../layers/on-sequences.ts';
import { Identity, Permute, RepeatVector, Reshape } from '../../layers/shape-layers.ts';
import { Cropping, Padding, type Margins } from '../../layers/spatial-layers.ts';
import { BilinearUpSampling2D, NearestUpSampling2D } from '../../layers/up-sampling.ts';
import type { LayerOptions } from '../layer-options.ts';
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
  ZeroPadding1D: (name, options) => [new Padding(channelsLast(name, options), 'ZeroPadding1D', sequenceMargins('padding', options))],
  ZeroPadding2D: (name, options) => [new Padding(channelsLast(name, options), 'ZeroPadding2D', options.margins('padding', 1))],
  Cropping1D: (name, options) => [new Cropping(name, 'Cropping1D', sequenceMargins('cropping', options))],
  Cropping2D: (name, options) => [new Cropping(channelsLast(name, options), 'Cropping2D', options.margins('cropping', 0))],
  UpSampling1D: (name, options) => [new OnSequences('UpSampling1D', new NearestUpSampling2D(name, [1, options.single('size', 2)]))],
  UpSampling2D: (name, options) => [upSampling(channelsLast(name, options), options)],
  Flatten: (name, options) => [new Reshape(channelsLast(name, options), [-1])],
  Reshape: (name, options) => [new Reshape(name, options.extents('target_shape'))],
  Permute: (name, options) => [new Permute(name, options.numbers('dims'))],
  RepeatVector: (name, options) => [new RepeatVector(name, options.number('n', 1))],
  ...Object.fromEntries(IDENTITIES.map((className) => [className, (name: string) => [new Identity(name, className)]])),
};

/** One number for both ends, or one for each. */
function sequenceMargins(key: string, options: LayerOptions): Margins {
  return [options.pair(key, [1, 1])];
}

function upSampling(name: string, options: LayerOptions): Layer {
  options.expect('interpolation', ['nearest', 'bilinear']);
  const size = options.pair('size', [2, 2]);
  return options.text('interpolation', 'nearest') === 'nearest'
    ? new NearestUpSampling2D(name, size)
    : new BilinearUpSampling2D(name, size);
}
