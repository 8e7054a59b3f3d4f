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
    const ranking = new Ranking(outputCount);
    const { classes, p, tails } = ranking;
    for (let n = 0; n < batch; n++) {
      ranking.rank(outputs, n * outputCount);
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
    const ranking = new Ranking(outputCount);
    const { p, tails } = ranking;
    for (let n = 0; n < batch; n++) {
      ranking.rank(outputs, n * outputCount);
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

/** Bits of a double that are zero where it is a float32. */
const CLASS_BITS = 2 ** 29 - 1;

/** Where the low word of a double stands. */
const LOW_WORD = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1;

/** An infinite logit among the keys of a sort: beyond every finite float32. */
const BEYOND = 2 ** 128;

/** One example's classes by falling probability; one after the other in the same memory. */
class Ranking {
  /** [C], the most probable first. */
  readonly classes: Uint32Array;
  /** [C], in that order. */
  readonly p: Float64Array;
  /** [C + 1]: s_j = sum_{k >= j} p_k, summed from the small end, and 0. */
  readonly tails: Float64Array;
  /** Logits as doubles, whose low words, zero in a float32, hold the classes: numbers sort many times faster than by a comparison of ours. */
  readonly #keys: Float64Array;
  readonly #words: Uint32Array;

  constructor(outputCount: number) {
    this.classes = new Uint32Array(outputCount);
    this.p = new Float64Array(outputCount);
    this.tails = new Float64Array(outputCount + 1);
    this.#keys = new Float64Array(outputCount);
    this.#words = new Uint32Array(this.#keys.buffer);
  }

  rank(outputs: Float32Array, start: number): void {
    const { classes, p, tails } = this;
    const count = p.length;
    for (let c = 0; c < count; c++) {
      this.#keys[c] = Math.max(-BEYOND, Math.min(BEYOND, outputs[start + c]));
      this.#words[2 * c + LOW_WORD] |= c;
    }
    this.#keys.sort();
    for (let j = 0; j < count; j++) classes[j] = this.#words[2 * (count - 1 - j) + LOW_WORD] & CLASS_BITS;
    const largest = outputs[start + classes[0]];
    let total = 0;
    for (let j = count - 1; j >= 0; j--) total += p[j] = Math.exp(outputs[start + classes[j]] - largest);
    for (let j = count - 1; j >= 0; j--) {
      p[j] /= total;
      tails[j] = tails[j + 1] + p[j];
    }
  }
}
