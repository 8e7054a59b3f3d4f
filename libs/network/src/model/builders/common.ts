import type * as tf from '@tensorflow/tfjs';
import type { LayerOptions } from '../layer-options.ts';
import type { WeightTable } from '../weights.ts';

/**
 * The bias of a layer that may have one.
 *
 * @param name  Layer name.
 * @param options  The layer's options.
 * @param weights  The model's weights.
 * @returns  The bias, owned by the table, or nothing.
 */
export function biasOf(name: string, options: LayerOptions, weights: WeightTable): tf.Tensor | undefined {
  return options.flag('use_bias', true) ? weights.get(name, 'bias') : undefined;
}

/**
 * Refuses channels first.
 *
 * @param name  Layer name.
 * @param options  The layer's options.
 * @returns  The layer's name.
 */
export function channelsLast(name: string, options: LayerOptions): string {
  options.expect('data_format', ['channels_last']);
  return name;
}
