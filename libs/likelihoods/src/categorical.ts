import { SublaceError } from '@sublace/errors';
import type { Likelihood, Targets } from './likelihood.ts';
import type { Random } from './random.ts';

/**
 * Softmax classification: Lambda = diag(p) - p p', of rank C - 1.
 *
 * Seeds are the columns of its Cholesky factor with the classes in falling order of probability. With s_j = sum_{k >= j} p_k:
 *
 *   l_j = sqrt(p_j s_{j+1} / s_j) at class j,  -p_i sqrt(p_j / (s_j s_{j+1})) at the classes i > j, 0 before
 *
 * After j of them Lambda of the remaining classes is left, divided by their share: a confident network needs few.
 */
export const categorical: Likelihood = {
  kind: 'classification',

  targetCount: () => 1,

  seedCount: (outputCount) => outputCount - 1,

  squareRootSeeds(outputs: Float32Array, outputCount: number, count = outputCount - 1): Float32Array {
    const batch = outputs.length / outputCount;
    const seeds = new Float32Array(batch * count * outputCount);
    for (let n = 0; n < batch; n++) {
      const { classes, p, tails } = rank(outputs, n * outputCount, outputCount);
      for (let j = 0; j < count; j++) {
        if (tails[j + 1] === 0) break; // the rest underflows: nothing is left of Lambda
        const row = (n * count + j) * outputCount;
        const root = Math.sqrt(p[j] / tails[j]);
        seeds[row + classes[j]] = root * Math.sqrt(tails[j + 1]);
        const scale = -root / Math.sqrt(tails[j + 1]);
        for (let i = j + 1; i < outputCount; i++) seeds[row + classes[i]] = scale * p[i];
      }
    }
    return seeds;
  },

  residualTraces(outputs: Float32Array, outputCount: number): Float64Array {
    const [batch, count] = [outputs.length / outputCount, outputCount - 1];
    const traces = new Float64Array(batch * count);
    for (let n = 0; n < batch; n++) {
      const { p, tails } = rank(outputs, n * outputCount, outputCount);
      let squares = 0; // sum_{k > j} p_k^2
      for (let j = count - 1; j >= 0; j--) {
        squares += p[j + 1] ** 2;
        // (s_j^2 - sum_{k >= j} p_k^2) / s_j without its cancellation where p_j is nearly all of s_j
        const rest = tails[j + 1];
        if (rest !== 0) traces[n * count + j] = (2 * p[j] * rest + (rest ** 2 - squares)) / tails[j];
      }
    }
    return traces;
  },

  gradients(outputs: Float32Array, targets: Targets, outputCount: number): Float32Array {
    const gradients = new Float32Array(outputs.length);
    for (let n = 0; n < targets.length; n++) {
      const label = labelOf(targets, n, outputCount);
      const p = softmaxAt(outputs, n * outputCount, outputCount);
      for (let c = 0; c < outputCount; c++) gradients[n * outputCount + c] = (c === label ? 1 : 0) - p[c];
    }
    return gradients;
  },

  draw(outputs: Float32Array, random: Random): Targets {
    const p = softmaxAt(outputs, 0, outputs.length);
    let left = random.uniform();
    let label = 0;
    while (label < outputs.length - 1 && left >= p[label]) left -= p[label++];
    return Int32Array.of(label);
  },

  logLikelihood(outputs: ArrayLike<number>, targets: Targets, outputCount: number): number {
    let sum = 0;
    for (let n = 0; n < targets.length; n++) {
      const start = n * outputCount;
      const label = labelOf(targets, n, outputCount);
      let largest = -Infinity;
      for (let c = 0; c < outputCount; c++) largest = Math.max(largest, outputs[start + c]);
      let total = 0;
      for (let c = 0; c < outputCount; c++) total += Math.exp(outputs[start + c] - largest);
      sum += outputs[start + label] - largest - Math.log(total);
    }
    return sum;
  },
};

function labelOf(targets: Targets, n: number, outputCount: number): number {
  const label = targets[n];
  if (label >= 0 && label < outputCount) return label;
  throw new SublaceError('DATA_INVALID', `label of example ${n}: expected 0..${outputCount - 1}, got ${label}`);
}

function softmaxAt(outputs: Float32Array, start: number, outputCount: number): Float64Array {
  const p = Float64Array.from(outputs.subarray(start, start + outputCount));
  const largest = p.reduce((a, b) => Math.max(a, b), -Infinity);
  let total = 0;
  for (let c = 0; c < outputCount; c++) total += p[c] = Math.exp(p[c] - largest);
  for (let c = 0; c < outputCount; c++) p[c] /= total;
  return p;
}

/** One example's classes by falling probability. */
interface Ranking {
  /** [C], the most probable first; the smaller class first on a tie. */
  readonly classes: Uint32Array;
  /** [C], in that order. */
  readonly p: Float64Array;
  /** [C + 1]: s_j = sum_{k >= j} p_k, summed from the small end, and 0. */
  readonly tails: Float64Array;
}

function rank(outputs: Float32Array, start: number, outputCount: number): Ranking {
  const logits = outputs.subarray(start, start + outputCount);
  const classes = Uint32Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a] || a - b);
  const p = Float64Array.from(classes, (label) => Math.exp(logits[label] - logits[classes[0]]));
  let total = 0;
  for (let j = outputCount - 1; j >= 0; j--) total += p[j];
  const tails = new Float64Array(outputCount + 1);
  for (let j = outputCount - 1; j >= 0; j--) {
    p[j] /= total;
    tails[j] = tails[j + 1] + p[j];
  }
  return { classes, p, tails };
}
