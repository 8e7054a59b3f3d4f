import { classCountOf, type NumberArray } from './check-shapes.ts';
import { logSoftmax } from './softmax.ts';

/** Outcome of {@link fitTemperature}. */
export interface TemperatureFit {
  /** T: divide the logits by it. */
  temperature: number;
  /** Mean negative log likelihood at T, nats. */
  negativeLogLikelihood: number;
  /** True when the minimum lies outside [1/maxTemperature, maxTemperature] and T is that bound, for instance when every label is predicted. */
  atBound: boolean;
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * Temperature scaling: the one T that minimises the mean negative log likelihood of softmax(logits / T) (Guo et al. 2017,
 * arXiv:1706.04599, section 4.2).
 *
 * The loss is convex in 1/T, hence has one minimum in log T too: golden-section search over log T cannot leave its bracket.
 *
 * @param logits  [N, C] row-major, from data that the network was not trained on.
 * @param labels  [N] in 0..C-1.
 * @param options  `maxTemperature`: the search covers [1/max, max], default 1000. `tolerance`: on log T, default 1e-6.
 * @returns  The temperature, the loss there, and whether it ran into a bound.
 * @throws SublaceError SHAPE_MISMATCH, DATA_INVALID.
 */
export function fitTemperature(
  logits: NumberArray,
  labels: NumberArray,
  { maxTemperature = 1000, tolerance = 1e-6 }: { maxTemperature?: number; tolerance?: number } = {},
): TemperatureFit {
  const classCount = classCountOf('fitTemperature', logits, labels);
  const scaled = new Float64Array(logits.length);
  const loss = (logTemperature: number): number => {
    const inverse = Math.exp(-logTemperature);
    for (let i = 0; i < scaled.length; i++) scaled[i] = logits[i] * inverse;
    const logProbabilities = logSoftmax(scaled, classCount);
    let sum = 0;
    for (let n = 0; n < labels.length; n++) sum -= logProbabilities[n * classCount + labels[n]];
    return sum / labels.length;
  };

  const bound = Math.log(maxTemperature);
  let [low, high] = [-bound, bound];
  let left = high - GOLDEN * (high - low);
  let right = low + GOLDEN * (high - low);
  let [lossLeft, lossRight] = [loss(left), loss(right)];
  while (high - low > tolerance) {
    if (lossLeft <= lossRight) {
      [high, right, lossRight] = [right, left, lossLeft];
      left = high - GOLDEN * (high - low);
      lossLeft = loss(left);
    } else {
      [low, left, lossLeft] = [left, right, lossRight];
      right = low + GOLDEN * (high - low);
      lossRight = loss(right);
    }
  }
  const logTemperature = (low + high) / 2;
  return {
    temperature: Math.exp(logTemperature),
    negativeLogLikelihood: loss(logTemperature),
    atBound: bound - Math.abs(logTemperature) <= 2 * tolerance,
  };
}
