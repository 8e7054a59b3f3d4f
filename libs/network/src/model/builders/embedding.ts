import type * as tf from '@tensorflow/tfjs';
import { Embedding } from '../../layers/embedding.ts';
import type { Builders } from './builder.ts';

/** Tables that are looked up. */
export const EMBEDDING_BUILDERS: Builders = {
  Embedding: (name, options, weights) => {
    options.expect('mask_zero', [false], 'false: masks are not supported');
    return [new Embedding(name, weights.get(name, 'embeddings') as tf.Tensor2D)];
  },
};
