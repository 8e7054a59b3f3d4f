import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import { inputSize, type Examples } from './examples.ts';

/** How well a network does on examples it is not trained on. */
export interface Evaluation {
  /**
   * Mean negative log likelihood per example, in nats. Regression: Gaussian with the noise variance that fits these residuals best, so it
   * orders models as their RMSE does.
   */
  readonly nll: number;
  /** Share of right answers; classification only. */
  readonly accuracy?: number;
  /** Root mean squared error over all outputs, in normalised units; regression only. */
  readonly rmse?: number;
}

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
 * @returns  The evaluation.
 * @throws SublaceError SHAPE_MISMATCH when the targets do not fit the outputs.
 */
export function evaluateModel(model: tf.LayersModel, examples: Examples): Evaluation {
  const { targets, count } = examples;
  const outputs = computeOutputs(model, examples);
  const width = outputs.length / count;
  const expected = targets.kind === 'labels' ? targets.classCount : targets.width;
  if (width !== expected) throw new SublaceError('SHAPE_MISMATCH', `evaluation: expected ${expected} outputs per example, got ${width}`);
  return targets.kind === 'labels' ? evaluateLogits(outputs, targets.labels, width) : evaluateMeans(outputs, targets.values, width);
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

function evaluateMeans(means: Float32Array, values: Float32Array, width: number): Evaluation {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += (values[index] - means[index]) ** 2;
  const variance = sum / values.length;
  // A perfect fit has no finite NLL; the smallest variance that float32 residuals near 1 can mean keeps the order of models.
  const nll = 0.5 * width * (Math.log(2 * Math.PI * Math.max(variance, 1e-14)) + 1);
  return { nll: Number.isNaN(variance) ? Number.NaN : nll, rmse: Math.sqrt(variance) };
}
