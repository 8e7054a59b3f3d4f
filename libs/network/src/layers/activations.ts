import * as tf from '@tensorflow/tfjs';

/** An elementwise function with its derivative. */
export interface ElementwiseActivation {
  readonly forward: (z: tf.Tensor) => tf.Tensor;
  /** Derivative at z; `y` is forward(z). */
  readonly derivative: (z: tf.Tensor, y: tf.Tensor) => tf.Tensor;
  /** Whether a larger z never gives a smaller y. */
  readonly isNonDecreasing?: boolean;
}

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** 1 where the condition holds, else 0. */
function indicator(condition: tf.Tensor): tf.Tensor {
  return tf.cast(condition, 'float32');
}

/** Density of the standard normal. */
function normalDensity(z: tf.Tensor): tf.Tensor {
  return tf.mul(tf.exp(tf.mul(tf.square(z), -0.5)), 1 / Math.sqrt(2 * Math.PI));
}

/** Distribution function of the standard normal. */
function normalDistribution(z: tf.Tensor): tf.Tensor {
  return tf.mul(0.5, tf.add(1, tf.erf(tf.mul(z, Math.SQRT1_2))));
}

/** tanh's argument in the approximate GELU, and that argument's derivative. */
function geluArgument(z: tf.Tensor): { argument: tf.Tensor; slope: tf.Tensor } {
  const scale = Math.sqrt(2 / Math.PI);
  return {
    argument: tf.mul(scale, tf.add(z, tf.mul(0.044715, tf.pow(z, 3)))),
    slope: tf.mul(scale, tf.add(1, tf.mul(3 * 0.044715, tf.square(z)))),
  };
}

/**
 * The rectifier with a leak, an upper bound and a threshold.
 *
 * @param negativeSlope  Slope below the threshold.
 * @param maxValue  Upper bound.
 * @param threshold  Where the rectifier opens.
 * @returns  The activation.
 */
export function rectifier(negativeSlope = 0, maxValue = Infinity, threshold = 0): ElementwiseActivation {
  return {
    isNonDecreasing: negativeSlope >= 0 && threshold >= 0,
    forward: (z) => {
      const positive = tf.mul(z, indicator(tf.greater(z, threshold)));
      const bounded = Number.isFinite(maxValue) ? tf.minimum(positive, maxValue) : positive;
      if (negativeSlope === 0) return bounded;
      return tf.add(bounded, tf.mul(tf.mul(tf.sub(z, threshold), indicator(tf.lessEqual(z, threshold))), negativeSlope));
    },
    derivative: (z) => {
      const above = indicator(tf.greater(z, threshold));
      const active = Number.isFinite(maxValue) ? tf.mul(above, indicator(tf.less(z, maxValue))) : above;
      return negativeSlope === 0 ? active : tf.add(active, tf.mul(tf.sub(1, above), negativeSlope));
    },
  };
}

/**
 * The exponential linear unit: z above zero, alpha (e^z - 1) below.
 *
 * @param alpha  Scale of the lower branch.
 * @returns  The activation.
 */
export function exponentialLinear(alpha = 1): ElementwiseActivation {
  return {
    isNonDecreasing: alpha >= 0,
    forward: (z) => tf.where(tf.greater(z, 0), z, tf.mul(alpha, tf.expm1(tf.minimum(z, 0)))),
    derivative: (z) => tf.where(tf.greater(z, 0), tf.onesLike(z), tf.mul(alpha, tf.exp(tf.minimum(z, 0)))),
  };
}

/**
 * A scale and an offset: what a rescaling layer does.
 *
 * @param scale  Factor.
 * @param offset  Added to the product.
 * @returns  The function.
 */
export function affine(scale: number, offset: number): ElementwiseActivation {
  return { forward: (z) => tf.add(tf.mul(z, scale), offset), derivative: (z) => tf.fill(z.shape, scale) };
}

const elu = exponentialLinear();
const seluBase = exponentialLinear(SELU_ALPHA);

/** Every elementwise activation that tf.js layers name. Softmax and log-softmax act across features and have a layer of their own. */
export const ACTIVATIONS: Readonly<Record<string, ElementwiseActivation>> = {
  linear: { isNonDecreasing: true, forward: (z) => z, derivative: (z) => tf.onesLike(z) },
  relu: { isNonDecreasing: true, forward: (z) => tf.relu(z), derivative: (z) => indicator(tf.greater(z, 0)) },
  relu6: rectifier(0, 6),
  elu,
  selu: {
    isNonDecreasing: true,
    forward: (z) => tf.mul(SELU_SCALE, seluBase.forward(z)),
    derivative: (z, y) => tf.mul(SELU_SCALE, seluBase.derivative(z, y)),
  },
  sigmoid: { isNonDecreasing: true, forward: (z) => tf.sigmoid(z), derivative: (_, y) => tf.mul(y, tf.sub(1, y)) },
  hardSigmoid: {
    isNonDecreasing: true,
    forward: (z) => tf.clipByValue(tf.add(tf.mul(z, 0.2), 0.5), 0, 1),
    derivative: (z) => tf.mul(0.2, indicator(tf.less(tf.abs(z), 2.5))),
  },
  tanh: { isNonDecreasing: true, forward: (z) => tf.tanh(z), derivative: (_, y) => tf.sub(1, tf.square(y)) },
  softplus: { isNonDecreasing: true, forward: (z) => tf.softplus(z), derivative: (z) => tf.sigmoid(z) },
  softsign: {
    isNonDecreasing: true,
    forward: (z) => tf.div(z, tf.add(1, tf.abs(z))),
    derivative: (z) => tf.reciprocal(tf.square(tf.add(1, tf.abs(z)))),
  },
  swish: {
    forward: (z) => tf.mul(z, tf.sigmoid(z)),
    derivative: (z, y) => tf.add(y, tf.mul(tf.sigmoid(z), tf.sub(1, y))),
  },
  mish: {
    forward: (z) => tf.mul(z, tf.tanh(tf.softplus(z))),
    derivative: (z) => {
      const t = tf.tanh(tf.softplus(z));
      return tf.add(t, tf.mul(tf.mul(z, tf.sigmoid(z)), tf.sub(1, tf.square(t))));
    },
  },
  gelu: {
    forward: (z) => tf.mul(z, normalDistribution(z)),
    derivative: (z) => tf.add(normalDistribution(z), tf.mul(z, normalDensity(z))),
  },
  gelu_new: {
    forward: (z) => tf.mul(tf.mul(0.5, z), tf.add(1, tf.tanh(geluArgument(z).argument))),
    derivative: (z) => {
      const { argument, slope } = geluArgument(z);
      const t = tf.tanh(argument);
      const inner = tf.mul(tf.mul(0.5, z), tf.mul(tf.sub(1, tf.square(t)), slope));
      return tf.add(tf.mul(0.5, tf.add(1, t)), inner);
    },
  },
};

/** Names that other tools give to the same functions. */
export const ACTIVATION_ALIASES: Readonly<Record<string, string>> = {
  hard_sigmoid: 'hardSigmoid',
  log_softmax: 'logSoftmax',
  silu: 'swish',
  gelu_approximate: 'gelu_new',
};
