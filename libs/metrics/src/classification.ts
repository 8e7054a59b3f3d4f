import { argmaxOfRow, classCountOf, type NumberArray } from './check-shapes.ts';

/** Probabilities below this are read as this by {@link meanLogLikelihood}: the smallest normal float32, 2^-126 (log = -87.3). */
export const PROBABILITY_FLOOR = 2 ** -126;

/**
 * Mean log likelihood of the labels.
 *
 *   (1/N) sum_n log max(p[n, y_n], 2^-126)
 *
 * The floor keeps one confident mistake of a float32 network (p rounded to 0) from making the mean -Infinity; it is the smallest
 * normal float32, so it changes no probability that float32 can hold accurately. NaN stays NaN.
 *
 * @param probabilities  [N, C] row-major, rows sum to 1.
 * @param labels  [N] in 0..C-1.
 * @returns  Nats per example; higher is better.
 * @throws SublaceError SHAPE_MISMATCH, DATA_INVALID.
 */
export function meanLogLikelihood(probabilities: NumberArray, labels: NumberArray): number {
  const classCount = classCountOf('meanLogLikelihood', probabilities, labels);
  let sum = 0;
  for (let n = 0; n < labels.length; n++) sum += Math.log(Math.max(probabilities[n * classCount + labels[n]], PROBABILITY_FLOOR));
  return sum / labels.length;
}

/**
 * Share of examples whose most probable class is the label; the first class wins a tie.
 *
 * @param probabilities  [N, C] row-major (logits do as well).
 * @param labels  [N] in 0..C-1.
 * @returns  In 0..1.
 * @throws SublaceError SHAPE_MISMATCH, DATA_INVALID.
 */
export function accuracy(probabilities: NumberArray, labels: NumberArray): number {
  const classCount = classCountOf('accuracy', probabilities, labels);
  let correct = 0;
  for (let n = 0; n < labels.length; n++) if (argmaxOfRow(probabilities, n, classCount) === labels[n]) correct++;
  return correct / labels.length;
}

/**
 * Brier score: squared distance to the one-hot label, summed over classes, averaged over examples (Brier 1950).
 *
 *   (1/N) sum_n sum_c (p[n, c] - [c = y_n])^2
 *
 * @param probabilities  [N, C] row-major, rows sum to 1.
 * @param labels  [N] in 0..C-1.
 * @returns  In 0..2; lower is better.
 * @throws SublaceError SHAPE_MISMATCH, DATA_INVALID.
 */
export function brier(probabilities: NumberArray, labels: NumberArray): number {
  const classCount = classCountOf('brier', probabilities, labels);
  let sum = 0;
  for (let n = 0; n < labels.length; n++) {
    for (let c = 0; c < classCount; c++) sum += (probabilities[n * classCount + c] - (c === labels[n] ? 1 : 0)) ** 2;
  }
  return sum / labels.length;
}

/**
 * Expected calibration error of the most probable class, equal-width bins (Guo et al. 2017, arXiv:1706.04599, eq. 5).
 *
 *   sum_b (N_b / N) |accuracy_b - confidence_b|,  bin b = (b/B, (b+1)/B]
 *
 * @param probabilities  [N, C] row-major, rows sum to 1.
 * @param labels  [N] in 0..C-1.
 * @param options  `binCount`: B, default 15.
 * @returns  In 0..1; lower is better.
 * @throws SublaceError SHAPE_MISMATCH, DATA_INVALID.
 */
export function ece(probabilities: NumberArray, labels: NumberArray, { binCount = 15 }: { binCount?: number } = {}): number {
  const classCount = classCountOf('ece', probabilities, labels);
  const gaps = new Float64Array(binCount); // sum over the bin of (correct - confidence)
  for (let n = 0; n < labels.length; n++) {
    const best = argmaxOfRow(probabilities, n, classCount);
    const confidence = probabilities[n * classCount + best];
    if (Number.isNaN(confidence)) return NaN;
    const bin = Math.min(Math.max(Math.ceil(confidence * binCount) - 1, 0), binCount - 1);
    gaps[bin] += (best === labels[n] ? 1 : 0) - confidence;
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / labels.length;
}
