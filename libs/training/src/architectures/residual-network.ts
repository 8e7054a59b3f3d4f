import * as tf from '@tensorflow/tfjs';
import type { ArchitectureOptions } from './architecture.ts';
import { checkImageShape } from './image-shape.ts';
import { layerInitialisers, type LayerInitialisers } from './initialisers.ts';

/** Size of a residual network of the CIFAR kind. */
export interface ResidualNetworkSize {
  readonly name: string;
  /** Channels of each stage; every stage after the first halves the image. */
  readonly stageWidths: readonly number[];
  readonly blocksPerStage: number;
}

/**
 * Residual network of basic blocks for small images: 3x3 stem without pooling, batch norm after every convolution, 1x1 projection shortcuts
 * where shapes change, global average pooling, linear output (He et al. 2016, arXiv:1512.03385).
 *
 * The scale of the last batch norm of a block starts at zero, so that every block starts as the identity (Goyal et al. 2017,
 * arXiv:1706.02677, section 5.1). Layers are named conv1, bn1, stage2_block1_conv1, stage2_block1_shortcut_conv, ..., output.
 *
 * @param options  Input shape [height, width, channels], outputs, seed.
 * @param size  Stages, widths and blocks.
 * @returns  A LayersModel from [N, height, width, channels] to logits [N, outputCount].
 * @throws SublaceError SHAPE_MISMATCH when inputs are not images of at least 8x8.
 */
export function buildResidualNetwork(options: ArchitectureOptions, size: ResidualNetworkSize): tf.LayersModel {
  checkImageShape(size.name, options.inputShape, 8);
  const initialisers = layerInitialisers(options.seed);
  const input = tf.input({ shape: [...options.inputShape], name: 'input' });
  let x = convolution(input, { name: 'conv1', filters: size.stageWidths[0], kernelSize: 3, strides: 1 }, initialisers);
  x = activation(normalisation(x, 'bn1'), 'relu1');
  for (const [stageIndex, filters] of size.stageWidths.entries()) {
    for (let block = 1; block <= size.blocksPerStage; block++) {
      const strides = stageIndex > 0 && block === 1 ? 2 : 1;
      x = basicBlock(x, { name: `stage${stageIndex + 1}_block${block}`, filters, strides }, initialisers);
    }
  }
  x = tf.layers.globalAveragePooling2d({ name: 'pool' }).apply(x) as tf.SymbolicTensor;
  const output = tf.layers.dense({ name: 'output', units: options.outputCount, kernelInitializer: initialisers.output() });
  return tf.model({ inputs: input, outputs: output.apply(x) as tf.SymbolicTensor, name: size.name });
}

/** relu( bn(conv(relu(bn(conv(x))))) + shortcut(x) ). */
function basicBlock(
  x: tf.SymbolicTensor,
  { name, filters, strides }: { name: string; filters: number; strides: number },
  initialisers: LayerInitialisers,
): tf.SymbolicTensor {
  let y = convolution(x, { name: `${name}_conv1`, filters, kernelSize: 3, strides }, initialisers);
  y = activation(normalisation(y, `${name}_bn1`), `${name}_relu1`);
  y = convolution(y, { name: `${name}_conv2`, filters, kernelSize: 3, strides: 1 }, initialisers);
  y = normalisation(y, `${name}_bn2`, true);
  let shortcut = x;
  if (strides !== 1 || x.shape.at(-1) !== filters) {
    shortcut = convolution(x, { name: `${name}_shortcut_conv`, filters, kernelSize: 1, strides }, initialisers);
    shortcut = normalisation(shortcut, `${name}_shortcut_bn`);
  }
  const sum = tf.layers.add({ name: `${name}_add` }).apply([y, shortcut]) as tf.SymbolicTensor;
  return activation(sum, `${name}_relu2`);
}

/** A convolution without bias: the batch norm after it has its own. */
function convolution(
  x: tf.SymbolicTensor,
  options: { name: string; filters: number; kernelSize: number; strides: number },
  initialisers: LayerInitialisers,
): tf.SymbolicTensor {
  const layer = tf.layers.conv2d({ ...options, padding: 'same', useBias: false, kernelInitializer: initialisers.hidden() });
  return layer.apply(x) as tf.SymbolicTensor;
}

function normalisation(x: tf.SymbolicTensor, name: string, startsAtZero = false): tf.SymbolicTensor {
  const layer = tf.layers.batchNormalization({ name, momentum: 0.9, epsilon: 1e-5, gammaInitializer: startsAtZero ? 'zeros' : 'ones' });
  return layer.apply(x) as tf.SymbolicTensor;
}

function activation(x: tf.SymbolicTensor, name: string): tf.SymbolicTensor {
  return tf.layers.activation({ name, activation: 'relu' }).apply(x) as tf.SymbolicTensor;
}
