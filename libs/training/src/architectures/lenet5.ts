import * as tf from '@tensorflow/tfjs';
import type { ArchitectureOptions } from './architecture.ts';
import { checkImageShape } from './image-shape.ts';
import { layerInitialisers } from './initialisers.ts';

/**
 * LeNet-5 with ReLU and max pooling: conv 6@5x5 same, pool, conv 16@5x5 valid, pool, dense 120, 84, outputs
 * (after LeCun et al. 1998, Proc. IEEE 86, 11). 61,706 weights for 28x28x1 and 10 classes.
 *
 * @param options  Input shape [height, width, channels], outputs, seed.
 * @returns  A LayersModel from [N, height, width, channels] to logits [N, outputCount].
 * @throws SublaceError SHAPE_MISMATCH when inputs are not images of at least 12x12.
 */
export function buildLenet5(options: ArchitectureOptions): tf.LayersModel {
  checkImageShape('lenet5', options.inputShape, 12);
  const initialisers = layerInitialisers(options.seed);
  const conv = (name: string, filters: number, padding: 'same' | 'valid') =>
    tf.layers.conv2d({ name, filters, kernelSize: 5, padding, activation: 'relu', kernelInitializer: initialisers.hidden() });
  const pool = (name: string) => tf.layers.maxPooling2d({ name, poolSize: 2, strides: 2 });
  const dense = (name: string, units: number) =>
    tf.layers.dense({ name, units, activation: 'relu', kernelInitializer: initialisers.hidden() });
  const layers = [
    conv('conv1', 6, 'same'),
    pool('pool1'),
    conv('conv2', 16, 'valid'),
    pool('pool2'),
    tf.layers.flatten({ name: 'flatten' }),
    dense('dense1', 120),
    dense('dense2', 84),
    tf.layers.dense({ name: 'output', units: options.outputCount, kernelInitializer: initialisers.output() }),
  ];
  const input = tf.input({ shape: [...options.inputShape], name: 'input' });
  const output = layers.reduce<tf.SymbolicTensor>((x, layer) => layer.apply(x) as tf.SymbolicTensor, input);
  return tf.model({ inputs: input, outputs: output, name: 'lenet5' });
}
