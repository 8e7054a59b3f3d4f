export { DOUBLE, FLOAT32_OP, FLOAT32_SOLVE, STANDARD_ERRORS, type Tolerance } from './tolerances.ts';
// cspell:ignore allclose
export { positionsApart } from './to-be-allclose.ts';
export { testRandom, type TestRandom } from './random.ts';

export { diagonalMatrix, flat, inverse, logAbsoluteDeterminant, matrixOf, product, sum, transposed, type Matrix } from './dense-algebra.ts';
export { categoricalHessian, naiveGgn, naiveOutputCovariance, naiveSoftmax } from './laplace.ts';

export type { NaiveLayer, NaiveMergeLayer, NaiveWeight } from './network/layer.ts';
export { activationLayer, flattenLayer } from './network/activation-layer.ts';
export { randomAttention, type AttentionSizes } from './network/attention-layer.ts';
export {
  randomConvolution,
  randomDepthwise,
  randomSeparable,
  randomTransposedConvolution,
  type ConvolutionGeometry,
} from './network/convolution-layers.ts';
export { elementwiseLayer, NAIVE_ACTIVATIONS, randomPReLU, softmaxLayer } from './network/elementwise-layers.ts';
export {
  croppingLayer,
  identityLayer,
  permuteLayer,
  repeatVectorLayer,
  upSamplingLayer,
  zeroPaddingLayer,
} from './network/linear-layers.ts';
export { randomBatchNormalization, randomLayerNormalization, type ScaleAndShift } from './network/normalisation-layers.ts';
export { poolingLayer } from './network/pooling-layers.ts';
export type { SlidingGeometry } from './network/sliding.ts';
export { randomConv2d, type Conv2dGeometry } from './network/conv2d-layer.ts';
export { denseLayer, randomDense, randomSequenceDense } from './network/dense-layer.ts';
export { dotLayer, type DotSide } from './network/dot-layer.ts';
export { randomEmbedding } from './network/embedding-layer.ts';
export { overStepsLayer } from './network/over-steps-layer.ts';
export { randomBidirectional, randomRecurrent, type RecurrentSizes } from './network/recurrent-layers.ts';
export { addLayer, concatenateLayer, mergeLayer } from './network/merge-layers.ts';
export { differencedJacobian } from './network/differenced-jacobian.ts';
export { naiveTransformer, type TransformerSizes } from './network/naive-transformer.ts';
export { NaiveNetwork, type NaiveNode } from './network/naive-network.ts';
