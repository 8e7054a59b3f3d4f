import type { ArchitectureOptions } from '@sublace/training';
import * as tf from '@tensorflow/tfjs';

/** Channels of the first convolution, then channels and stride of each separable block: a quarter of the published width. */
const STEM = 8;
const BLOCKS: readonly (readonly [channels: number, stride: number])[] = [
  [16, 1],
  [32, 2],
  [32, 1],
  [64, 2],
  [64, 1],
  [128, 2],
  [128, 1],
  [128, 1],
  [128, 1],
  [128, 1],
  [128, 1],
  [256, 2],
  [256, 1],
];

/**
 * MobileNet of a quarter of the width: depthwise and pointwise convolutions in turn, batch normalisation and ReLU6 after each, means over the image, one
 * dense layer (Howard et al. 2017, arXiv:1704.04861).
 *
 * @param options  Input shape, outputs, seed.
 * @returns  A LayersModel from [N, height, width, channels] to logits [N, outputCount].
 */
export function buildMobileNet({ inputShape, outputCount, seed }: ArchitectureOptions): tf.LayersModel {
  let layerSeed = 1000 * seed;
  const initialiser = () => tf.initializers.heNormal({ seed: ++layerSeed });
  const shared = { padding: 'same', useBias: false } as const;
  const layers: tf.layers.Layer[] = [];
  const normalised = (layer: tf.layers.Layer): void => {
    layers.push(
      layer,
      tf.layers.batchNormalization({ name: `${layer.name}_norm` }),
      tf.layers.reLU({ maxValue: 6, name: `${layer.name}_relu` }),
    );
  };
  normalised(tf.layers.conv2d({ ...shared, filters: STEM, kernelSize: 3, strides: 2, kernelInitializer: initialiser(), name: 'stem' }));
  BLOCKS.forEach(([filters, strides], block) => {
    normalised(
      tf.layers.depthwiseConv2d({
        ...shared,
        kernelSize: 3,
        strides,
        depthwiseInitializer: initialiser(),
        name: `block${block + 1}_depthwise`,
      }),
    );
    normalised(
      tf.layers.conv2d({ ...shared, filters, kernelSize: 1, kernelInitializer: initialiser(), name: `block${block + 1}_pointwise` }),
    );
  });
  layers.push(
    tf.layers.globalAveragePooling2d({ name: 'pool' } as Parameters<typeof tf.layers.globalAveragePooling2d>[0]),
    tf.layers.dense({ units: outputCount, kernelInitializer: tf.initializers.leCunNormal({ seed: ++layerSeed }), name: 'output' }),
  );
  const input = tf.input({ shape: [...inputShape], name: 'input' });
  const output = layers.reduce<tf.SymbolicTensor>((x, layer) => layer.apply(x) as tf.SymbolicTensor, input);
  return tf.model({ inputs: input, outputs: output, name: 'mobile_net' });
}
