import type * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import type { ArchitectureOptions } from './architecture.ts';
import { buildResidualNetwork } from './residual-network.ts';

/**
 * Small residual network: three stages of 16, 32 and 64 channels. 78,042 trainable weights for 32x32x3 images, 10 classes and one block
 * per stage; 175,258 for two.
 *
 * @param options  Input shape [height, width, channels], outputs, seed.
 * @param argument  Blocks per stage, `1` (default) or `2`.
 * @returns  A LayersModel from [N, height, width, channels] to logits [N, outputCount].
 * @throws SublaceError INVALID_ARGUMENT for another number of blocks; SHAPE_MISMATCH when inputs are not images of at least 8x8.
 */
export function buildResnetSmall(options: ArchitectureOptions, argument: string | undefined): tf.LayersModel {
  if (argument !== undefined && argument !== '1' && argument !== '2') {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `architecture: expected resnet-small, resnet-small:1 or resnet-small:2, got 'resnet-small:${argument}'`,
    );
  }
  return buildResidualNetwork(options, { name: 'resnet-small', stageWidths: [16, 32, 64], blocksPerStage: Number(argument ?? 1) });
}
