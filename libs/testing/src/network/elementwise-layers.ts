import type { TestRandom } from '../random.ts';
import { indexOf, indicesOf } from './indices.ts';
import { float32Normals, type NaiveLayer } from './layer.ts';

/** Step of the central differences that give slopes. */
const STEP = 1e-6;

/** The error function by Simpson's rule. */
function errorFunction(x: number): number {
  const [intervals, h] = [400, x / 400];
  let sum = 0;
  for (let i = 0; i <= intervals; i++) sum += (i === 0 || i === intervals ? 1 : i % 2 === 1 ? 4 : 2) * Math.exp(-((i * h) ** 2));
  return (2 / Math.sqrt(Math.PI)) * (h / 3) * sum;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => Math.log(1 + Math.exp(x));

/** Every activation of tf.js that acts on each number by itself, as its definition says. */
export const NAIVE_ACTIVATIONS: Readonly<Record<string, (x: number) => number>> = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  elu: (x) => (x > 0 ? x : Math.exp(x) - 1),
  selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (Math.exp(x) - 1)),
  sigmoid,
  hardSigmoid: (x) => Math.min(Math.max(0.2 * x + 0.5, 0), 1),
  tanh: Math.tanh,
  softplus,
  softsign: (x) => x / (1 + Math.abs(x)),
  swish: (x) => x * sigmoid(x),
  mish: (x) => x * Math.tanh(softplus(x)),
  gelu: (x) => (x / 2) * (1 + errorFunction(x / Math.SQRT2)),
  gelu_new: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

/**
 * A function of each number by itself; its slope is a central difference.
 *
 * @param className  Class of the layer.
 * @param options  Its options in a model file.
 * @param value  The function.
 * @returns  The layer.
 */
export function elementwiseLayer(className: string, options: Readonly<Record<string, unknown>>, value: (x: number) => number): NaiveLayer {
  return {
    className,
    config: { name: 'elementwise', ...options },
    weights: [],
    forward: (x) => x.map(value),
    backward: (x, g) => ({
      weights: [],
      input: g.map((go, i) => (go * (value(x[i] + STEP) - value(x[i] - STEP))) / (2 * STEP)),
    }),
  };
}

/**
 * A rectifier with learned slopes below zero, random here.
 *
 * @param random  Where from.
 * @param name  Layer name.
 * @param inputShape  Shape of one example.
 * @param sharedAxes  Axes that share a slope, counted from 0 without the batch axis.
 * @returns  The layer.
 */
export function randomPReLU(random: TestRandom, name: string, inputShape: readonly number[], sharedAxes: readonly number[]): NaiveLayer {
  const shape = inputShape.map((extent, axis) => (sharedAxes.includes(axis) ? 1 : extent));
  const alpha = float32Normals(random, shape, 1);
  const alphaOf = indicesOf(inputShape).map((index) =>
    indexOf(
      shape,
      index.map((i, axis) => (sharedAxes.includes(axis) ? 0 : i)),
    ),
  );
  return {
    className: 'PReLU',
    config: { name, shared_axes: sharedAxes.map((axis) => axis + 1) },
    weights: [{ name: `${name}/alpha`, shape, values: alpha }],
    forward: (x) => x.map((value, i) => (value > 0 ? value : alpha[alphaOf[i]] * value)),
    backward: (x, g) => {
      const weights = new Array<number>(alpha.length).fill(0);
      x.forEach((value, i) => {
        if (value < 0) weights[alphaOf[i]] += value * g[i];
      });
      return { weights, input: g.map((go, i) => (x[i] > 0 ? go : alpha[alphaOf[i]] * go)) };
    },
  };
}

/**
 * Softmax over some axes, or its logarithm.
 *
 * @param inputShape  Shape of one example.
 * @param axes  Axes that one distribution covers, counted from 0 without the batch axis.
 * @param className  `Softmax`, or `Activation` with the logarithm over the last axis.
 * @returns  The layer.
 */
export function softmaxLayer(inputShape: readonly number[], axes: readonly number[], className: 'Softmax' | 'Activation'): NaiveLayer {
  const keys = indicesOf(inputShape).map((index) => index.filter((_, axis) => !axes.includes(axis)).join());
  /** Sum over the distribution that each element belongs to. */
  const totals = (values: readonly number[]): number[] =>
    keys.map((key) => values.reduce((sum, value, i) => sum + (keys[i] === key ? value : 0), 0));
  const probabilities = (x: readonly number[]): number[] => {
    const exponentials = x.map(Math.exp);
    const sums = totals(exponentials);
    return exponentials.map((value, i) => value / sums[i]);
  };
  const isLogarithm = className === 'Activation';
  return {
    className,
    config: { name: 'softmax', ...(isLogarithm ? { activation: 'logSoftmax' } : { axis: axes.map((axis) => axis + 1) }) },
    weights: [],
    forward: (x) => (isLogarithm ? probabilities(x).map(Math.log) : probabilities(x)),
    backward: (x, g) => {
      const p = probabilities(x);
      const sums = totals(isLogarithm ? [...g] : g.map((go, i) => go * p[i]));
      return { weights: [], input: g.map((go, i) => (isLogarithm ? go - p[i] * sums[i] : p[i] * (go - sums[i]))) };
    },
  };
}
