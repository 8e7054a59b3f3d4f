import type * as tf from '@tensorflow/tfjs';
import { Dense } from '../../layers/dense.ts';
import { DotProductAttention } from '../../layers/dot-product-attention.ts';
import type { LayerOptions } from '../layer-options.ts';
import type { WeightTable } from '../weights.ts';
import type { Builders } from './builder.ts';
import { biasOf } from './common.ts';

/** The parts of a multi-head attention layer, of which a model file knows the whole only. */
export const ATTENTION_BUILDERS: Builders = {
  /** Kernel [E, H, K]. */
  AttentionProjection: (name, options, weights) => [projection(name, options, weights, ([inputs, ...heads]) => [inputs, product(heads)])],
  DotProductAttention: (name, options) => [new DotProductAttention(name, options.number('num_heads', 1))],
  /** Kernel [H, V, E]. */
  AttentionOutput: (name, options, weights) => [
    projection(name, options, weights, ([heads, perHead, ...outputs]) => [heads * perHead, product(outputs)]),
  ],
};

/** A dense layer by a kernel that is stored with heads apart. */
function projection(name: string, options: LayerOptions, weights: WeightTable, matrixOf: (shape: number[]) => [number, number]): Dense {
  const stored = weights.get(name, 'kernel');
  const kernel = weights.reshaped(stored, matrixOf(stored.shape)) as tf.Tensor2D;
  const bias = biasOf(name, options, weights);
  return new Dense(name, kernel, bias && weights.reshaped(bias, [bias.size]));
}

function product(extents: readonly number[]): number {
  return extents.reduce((total, extent) => total * extent, 1);
}
