import * as tf from '@tensorflow/tfjs';

/** tf.js does not export the type of an initialiser; this is it. */
type Initializer = ReturnType<typeof tf.initializers.heNormal>;

/** Stands for the seed 0, which tf.js and TensorFlow take for no seed at all. */
const UNLIKE_ZERO = 0x5eed;

/** Draws one initialiser after another, each with its own seed derived from one number, in the order in which layers are created. */
export interface LayerInitialisers {
  /** He normal, variance 2 / fan-in (He et al. 2015, arXiv:1502.01852): layers followed by a ReLU. */
  readonly hidden: () => Initializer;
  /** LeCun normal, variance 1 / fan-in: the linear output layer. */
  readonly output: () => Initializer;
  /** Normal with a standard deviation of a half: shifts by position, beside embeddings of order one. */
  readonly position: () => Initializer;
}

/**
 * Seeded initialisers for the layers of one network.
 *
 * @param seed  Any integer; equal seeds give equal weights for equal architectures.
 * @returns  Functions that hand out the initialiser of the next layer.
 */
export function layerInitialisers(seed: number): LayerInitialisers {
  let layerIndex = 0;
  // A large odd stride keeps the streams of (seed, layer) pairs apart for neighbouring seeds.
  const next = (): number => seed * 1_000_003 + layerIndex++ || UNLIKE_ZERO;
  return {
    hidden: () => tf.initializers.heNormal({ seed: next() }),
    output: () => tf.initializers.leCunNormal({ seed: next() }),
    position: () => tf.initializers.randomNormal({ mean: 0, stddev: 0.5, seed: next() }),
  };
}
