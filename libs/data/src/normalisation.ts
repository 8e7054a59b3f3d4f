import { SublaceError } from '@sublace/errors';
import type { Dataset } from './dataset.ts';

/** Shift and scale, x -> (x - mean) / std; each of length 1 (for all values) or one per last-axis feature. Stored with the model. */
export interface Normalisation {
  inputMean: number[];
  inputStd: number[];
  /** Present for regression. */
  targetMean?: number[];
  targetStd?: number[];
}

/**
 * Mean and standard deviation (of the population, float64) of training data. Images and other inputs of two or more axes get one pair
 * over all values; vectors get one per feature; regression targets one per output. A constant feature gets std 1.
 *
 * @param dataset  Training data.
 * @returns  To be stored with the model and applied to all later inputs.
 * @throws SublaceError DATA_INVALID for a data set without examples.
 */
export function fitNormalisation(dataset: Dataset): Normalisation {
  if (dataset.count === 0)
    throw new SublaceError('DATA_INVALID', `${dataset.name}: expected at least one example to take means of, got none`);
  const inputs = moments(dataset.inputs, dataset.inputShape.length === 1 ? dataset.inputShape[0] : 1);
  const normalisation: Normalisation = { inputMean: inputs.mean, inputStd: inputs.std };
  if (dataset.targets.kind !== 'values') return normalisation;
  const targets = moments(dataset.targets.values, dataset.targets.width);
  return { ...normalisation, targetMean: targets.mean, targetStd: targets.std };
}

/** Two passes: the one-pass formula loses all digits where the mean is large against the deviation. */
function moments(values: Float32Array, width: number): { mean: number[]; std: number[] } {
  const count = values.length / width;
  const mean = new Float64Array(width);
  for (let i = 0; i < values.length; i++) mean[i % width] += values[i] / count;
  const variance = new Float64Array(width);
  for (let i = 0; i < values.length; i++) variance[i % width] += (values[i] - mean[i % width]) ** 2 / count;
  const std = Array.from(variance, (value, column) => {
    const root = Math.sqrt(value);
    // Below float32 resolution of the mean it is rounding, not variation.
    return root <= 1e-7 * Math.abs(mean[column]) ? 1 : root;
  });
  return { mean: Array.from(mean), std };
}

/**
 * Inputs in the units that the model was trained on.
 *
 *   (x - inputMean) / inputStd
 *
 * @param inputs  [N, ...inputShape], raw units. Not changed.
 * @param normalisation  As stored with the model.
 * @returns  A new array of the same length.
 */
export function normaliseInputs(inputs: Float32Array, { inputMean, inputStd }: Normalisation): Float32Array {
  return shiftAndScale(inputs, inputMean, inputStd);
}

/**
 * Regression targets in the units that the model was trained on.
 *
 * @param values  [N, width], raw units. Not changed.
 * @param normalisation  As stored with the model; without target moments the values come back as they are.
 * @returns  A new array, [N, width].
 */
export function normaliseTargets(values: Float32Array, { targetMean = [0], targetStd = [1] }: Normalisation): Float32Array {
  return shiftAndScale(values, targetMean, targetStd);
}

/**
 * Predictive means in raw units.
 *
 *   m * targetStd + targetMean
 *
 * @param means  [N, width], normalised units. Not changed.
 * @param normalisation  As stored with the model.
 * @returns  A new array, [N, width].
 */
export function denormaliseMeans(means: ArrayLike<number>, { targetMean = [0], targetStd = [1] }: Normalisation): Float64Array {
  return Float64Array.from(means, (value, i) => value * targetStd[i % targetStd.length] + targetMean[i % targetMean.length]);
}

/**
 * Predictive variances in squared raw units.
 *
 *   v * targetStd^2
 *
 * @param variances  [N, width], squared normalised units. Not changed.
 * @param normalisation  As stored with the model.
 * @returns  A new array, [N, width].
 */
export function denormaliseVariances(variances: ArrayLike<number>, { targetStd = [1] }: Normalisation): Float64Array {
  return Float64Array.from(variances, (value, i) => value * targetStd[i % targetStd.length] ** 2);
}

function shiftAndScale(values: Float32Array, mean: number[], std: number[]): Float32Array {
  if (mean.length === 1 && std.length === 1) {
    const [shift, scale] = [mean[0], std[0]];
    return values.map((value) => (value - shift) / scale);
  }
  return values.map((value, i) => (value - mean[i % mean.length]) / std[i % std.length]);
}
