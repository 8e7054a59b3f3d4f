import type * as tf from '@tensorflow/tfjs';
import type { ArchitectureOptions } from './architecture.ts';
import { buildResidualNetwork } from './residual-network.ts';

/**
 * ResNet-18 of the CIFAR kind (3x3 stem, no first pooling): 64, 128, 256 and 512 channels, two basic blocks each.
 * 11,173,962 trainable weights for 32x32x3 images and 10 classes, and 9,600 moving statistics.
 *
 * @param options  Input shape [height, width, channels], outputs, seed.
 * @returns  A LayersModel from [N, height, width, channels] to logits [N, outputCount].
 * @throws SublaceError SHAPE_MISMATCH when inputs are not images of at least 8x8.
 */
export function buildResnet18(options: ArchitectureOptions): tf.LayersModel {
  return buildResidualNetwork(options, { name: 'resnet18', stageWidths: [64, 128, 256, 512], blocksPerStage: 2 });
}
