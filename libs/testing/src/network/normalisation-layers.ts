import type { TestRandom } from '../random.ts';
import { indexOf, indicesOf } from './indices.ts';
import { float32Normals, type NaiveLayer, type NaiveWeight } from './layer.ts';

/** Which of gamma and beta a normalisation has. */
export interface ScaleAndShift {
  readonly hasScale: boolean;
  readonly hasShift: boolean;
}

const EPSILON = 1e-3;

/** gamma and beta with random values, as far as the layer has them. */
function randomScaleAndShift(
  random: TestRandom,
  name: string,
  shape: readonly number[],
  { hasScale, hasShift }: ScaleAndShift,
): { readonly weights: NaiveWeight[]; readonly gamma: (i: number) => number; readonly beta: (i: number) => number } {
  const [gamma, beta] = [float32Normals(random, shape, 1), float32Normals(random, shape, 1)];
  return {
    weights: [
      ...(hasScale ? [{ name: `${name}/gamma`, shape, values: gamma }] : []),
      ...(hasShift ? [{ name: `${name}/beta`, shape, values: beta }] : []),
    ],
    gamma: (i) => (hasScale ? gamma[i] : 1),
    beta: (i) => (hasShift ? beta[i] : 0),
  };
}

/** Gradients in gamma and beta, flat: sums of x_hat g and of g over everything that shares them. */
function weightGradients(
  { hasScale, hasShift }: ScaleAndShift,
  size: number,
  normalised: readonly number[],
  g: readonly number[],
  weightOf: (i: number) => number,
): number[] {
  const [gamma, beta] = [new Array<number>(size).fill(0), new Array<number>(size).fill(0)];
  g.forEach((value, i) => {
    gamma[weightOf(i)] += normalised[i] * value;
    beta[weightOf(i)] += value;
  });
  return [...(hasScale ? gamma : []), ...(hasShift ? beta : [])];
}

/**
 * Layer normalisation with random weights: y = gamma (x - mean) / sqrt(variance + epsilon) + beta over some axes of the example.
 *
 * @param random  Where from.
 * @param name  Layer name.
 * @param inputShape  Shape of one example.
 * @param axes  Normalised axes, counted from 0 without the batch axis, ascending.
 * @param parts  Which weights there are.
 * @returns  The layer.
 */
export function randomLayerNormalization(
  random: TestRandom,
  name: string,
  inputShape: readonly number[],
  axes: readonly number[],
  parts: ScaleAndShift,
): NaiveLayer {
  const shape = axes.map((axis) => inputShape[axis]);
  const size = shape.reduce((product, extent) => product * extent, 1);
  const { weights, gamma, beta } = randomScaleAndShift(random, name, shape, parts);
  const positions = indicesOf(inputShape);
  const weightOf = (i: number): number =>
    indexOf(
      shape,
      axes.map((axis) => positions[i][axis]),
    );
  const groupOf = (i: number): string => positions[i].filter((_, axis) => !axes.includes(axis)).join();
  const groups = new Map<string, number[]>();
  positions.forEach((_, i) => groups.set(groupOf(i), [...(groups.get(groupOf(i)) ?? []), i]));

  /** Per group: 1 / sqrt(variance + epsilon); and x_hat. */
  const normalise = (x: readonly number[]): { readonly normalised: number[]; readonly inverse: number[] } => {
    const [normalised, inverse] = [[...x], [...x]];
    for (const members of groups.values()) {
      const mean = members.reduce((sum, i) => sum + x[i], 0) / members.length;
      const variance = members.reduce((sum, i) => sum + (x[i] - mean) ** 2, 0) / members.length;
      for (const i of members) {
        inverse[i] = 1 / Math.sqrt(variance + EPSILON);
        normalised[i] = (x[i] - mean) * inverse[i];
      }
    }
    return { normalised, inverse };
  };
  return {
    className: 'LayerNormalization',
    config: { name, ...{ axis: axes.map((axis) => axis + 1), epsilon: EPSILON, scale: parts.hasScale, center: parts.hasShift } },
    weights,
    forward: (x) => normalise(x).normalised.map((value, i) => gamma(weightOf(i)) * value + beta(weightOf(i))),
    backward: (x, g) => {
      const { normalised, inverse } = normalise(x);
      const scaled = g.map((value, i) => value * gamma(weightOf(i)));
      const input = new Array<number>(x.length).fill(0);
      for (const members of groups.values()) {
        const mean = members.reduce((sum, i) => sum + scaled[i], 0) / members.length;
        const along = members.reduce((sum, i) => sum + scaled[i] * normalised[i], 0) / members.length;
        for (const i of members) input[i] = inverse[i] * (scaled[i] - mean - normalised[i] * along);
      }
      return { weights: weightGradients(parts, size, normalised, g, weightOf), input };
    },
  };
}

/**
 * Batch normalisation at inference, with random weights and statistics: y = gamma (x - mean) / sqrt(variance + epsilon) + beta per channel.
 *
 * @param random  Where from.
 * @param name  Layer name.
 * @param channels  Extent of the last axis.
 * @param parts  Which weights there are.
 * @returns  The layer.
 */
export function randomBatchNormalization(random: TestRandom, name: string, channels: number, parts: ScaleAndShift): NaiveLayer {
  const { weights, gamma, beta } = randomScaleAndShift(random, name, [channels], parts);
  const mean = float32Normals(random, [channels], 1);
  const variance = float32Normals(random, [channels], 1).map((value) => Math.fround(value ** 2 + 0.1));
  const slope = (i: number): number => 1 / Math.sqrt(variance[i % channels] + EPSILON);
  const normalise = (x: readonly number[]): number[] => x.map((value, i) => (value - mean[i % channels]) * slope(i));
  return {
    className: 'BatchNormalization',
    config: { name, ...{ axis: -1, epsilon: EPSILON, scale: parts.hasScale, center: parts.hasShift } },
    weights,
    constants: [
      { name: `${name}/moving_mean`, shape: [channels], values: mean },
      { name: `${name}/moving_variance`, shape: [channels], values: variance },
    ],
    forward: (x) => normalise(x).map((value, i) => gamma(i % channels) * value + beta(i % channels)),
    backward: (x, g) => ({
      weights: weightGradients(parts, channels, normalise(x), g, (i) => i % channels),
      input: g.map((value, i) => value * gamma(i % channels) * slope(i)),
    }),
  };
}
