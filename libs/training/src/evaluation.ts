import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import { bernoulli, gaussian, heteroscedastic } from '@sublace/likelihoods';
import { inputSize, targetSize, type Examples } from './examples.ts';
import { outputCountFor } from './noise.ts';

/** How well a network does on examples it is not trained on. */
export interface Evaluation {
  /**
   * Mean negative log likelihood per example, in nats. A regression without noise of its own: Gaussian with the noise variance that fits these
   * residuals best, so it orders models as their RMSE does.
   */
  readonly nll: number;
  /** Share of right answers; for labels and flags. */
  readonly accuracy?: number;
  /** Root mean squared error over all outputs, in normalised units; regression only. */
  readonly rmse?: number;
}

/**
 * Noise that a regression is judged by, in squared normalised units: given (one variance or one per output), the one that fits the residuals
 * best, or that of the network's second half of outputs.
 */
export type EvaluationNoise = number | readonly number[] | 'fitted' | 'predicted';

/**
 * Outputs of a model in inference mode, in batches.
 *
 * @param model  A LayersModel with one input and one output.
 * @param examples  N examples.
 * @param batchSize  Examples per forward pass.
 * @returns  Logits or means, [N, C] row-major.
 */
export function computeOutputs(model: tf.LayersModel, examples: Examples, batchSize = 500): Float32Array {
  const size = inputSize(examples);
  const batches: Float32Array[] = [];
  for (let start = 0; start < examples.count; start += batchSize) {
    const stop = Math.min(start + batchSize, examples.count);
    const outputs = tf.tidy(() => {
      const x = tf.tensor(examples.inputs.subarray(start * size, stop * size), [stop - start, ...examples.inputShape]);
      return (model.apply(x, { training: false }) as tf.Tensor).dataSync<'float32'>();
    });
    batches.push(outputs);
  }
  const all = new Float32Array(batches.reduce((sum, batch) => sum + batch.length, 0));
  let offset = 0;
  for (const batch of batches) {
    all.set(batch, offset);
    offset += batch.length;
  }
  return all;
}

/**
 * Negative log likelihood and accuracy or RMSE of a model, in float64.
 *
 * @param model  A LayersModel that answers logits or regression means.
 * @param examples  Examples to judge it by.
 * @param noise  Of a regression.
 * @returns  The evaluation.
 * @throws SublaceError SHAPE_MISMATCH when the targets do not fit the outputs.
 */
export function evaluateModel(model: tf.LayersModel, examples: Examples, noise: EvaluationNoise = 'fitted'): Evaluation {
  const { targets, count } = examples;
  const outputs = computeOutputs(model, examples);
  const width = outputs.length / count;
  const expected = outputCountFor(noise === 'predicted' ? noise : 'unit', targetSize(examples));
  if (width !== expected) throw new SublaceError('SHAPE_MISMATCH', `evaluation: expected ${expected} outputs per example, got ${width}`);
  if (targets.kind === 'labels') return evaluateLogits(outputs, targets.labels, width);
  if (targets.kind === 'flags') return evaluateFlags(outputs, targets.values, width);
  return evaluateValues(outputs, targets.values, noise, width);
}

function evaluateLogits(logits: Float32Array, labels: Int32Array, classCount: number): Evaluation {
  let nll = 0;
  let rightCount = 0;
  for (let n = 0; n < labels.length; n++) {
    const f = logits.subarray(n * classCount, (n + 1) * classCount);
    const largest = Math.max(...f);
    let sum = 0;
    for (const value of f) sum += Math.exp(value - largest);
    nll += largest + Math.log(sum) - f[labels[n]];
    if (f.indexOf(largest) === labels[n]) rightCount += 1;
  }
  return { nll: nll / labels.length, accuracy: rightCount / labels.length };
}

function evaluateFlags(logits: Float32Array, flags: Float32Array, width: number): Evaluation {
  const rightCount = logits.reduce((count, f, i) => count + (f > 0 === (flags[i] === 1) ? 1 : 0), 0);
  const nll = (-bernoulli.logLikelihood(logits, flags, width) * width) / flags.length;
  return { nll, accuracy: rightCount / flags.length };
}

function evaluateValues(outputs: Float32Array, values: Float32Array, noise: EvaluationNoise, width: number): Evaluation {
  const targetWidth = noise === 'predicted' ? width / 2 : width;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] - outputs[Math.floor(i / targetWidth) * width + (i % targetWidth)]) ** 2;
  const variance = sum / values.length;
  const rmse = Math.sqrt(variance);
  // A perfect fit has no finite NLL; the smallest variance that float32 residuals near 1 can mean keeps the order of models.
  const fitted = 0.5 * width * (Math.log(2 * Math.PI * Math.max(variance, 1e-14)) + 1);
  if (noise === 'fitted') return { nll: Number.isNaN(variance) ? Number.NaN : fitted, rmse };
  const likelihood = noise === 'predicted' ? heteroscedastic : gaussian(noise);
  return { nll: (-likelihood.logLikelihood(outputs, values, width) * targetWidth) / values.length, rmse };
}
