import { SublaceError } from '@sublace/errors';
import { inputSize, type Dataset, type Targets } from './dataset.ts';
import { createRandom } from './random.ts';

/**
 * The examples at the given positions, in the given order.
 *
 * @param dataset  Source; not changed.
 * @param indices  Positions in 0..N-1; repeats are allowed.
 * @returns  A copy.
 * @throws SublaceError INVALID_ARGUMENT for a position out of range.
 */
export function takeExamples(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  const size = inputSize(dataset);
  const inputs = new Float32Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const n = indices[i];
    if (!Number.isInteger(n) || n < 0 || n >= dataset.count) {
      throw new SublaceError('INVALID_ARGUMENT', `${dataset.name}: expected example positions in 0..${dataset.count - 1}, got ${n}`);
    }
    inputs.set(dataset.inputs.subarray(n * size, (n + 1) * size), i * size);
  }
  return { ...dataset, count: indices.length, inputs, targets: takeTargets(dataset.targets, indices) };
}

/**
 * A run of examples.
 *
 * @param dataset  Source.
 * @param start  First position, 0..N.
 * @param count  How many, start + count <= N.
 * @returns  A view: it shares memory with the source.
 * @throws SublaceError INVALID_ARGUMENT for a range that leaves the data set.
 */
export function sliceDataset(dataset: Dataset, start: number, count: number): Dataset {
  if (!Number.isInteger(start) || !Number.isInteger(count) || start < 0 || count < 0 || start + count > dataset.count) {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `${dataset.name}: expected a range within 0..${dataset.count}, got start ${start}, count ${count}`,
    );
  }
  const size = inputSize(dataset);
  return {
    ...dataset,
    count,
    inputs: dataset.inputs.subarray(start * size, (start + count) * size),
    targets: sliceTargets(dataset.targets, start, start + count),
  };
}

/** How much to hold out for validation. */
export interface ValidationSplit {
  /** Share held out, 0 <= fraction < 1; the count is rounded to the nearest whole number. */
  fraction: number;
  /** Chooses which examples. */
  seed: number;
}

/**
 * Splits at random into training and validation examples. Both keep the order of the source, so the split is a matter of the
 * seed and N alone.
 *
 * @param dataset  Source.
 * @param split  Fraction and seed.
 * @returns  Copies of the two parts, together every example once.
 * @throws SublaceError INVALID_ARGUMENT for a fraction outside [0, 1) or one that leaves no training example.
 */
export function splitValidation(dataset: Dataset, { fraction, seed }: ValidationSplit): { training: Dataset; validation: Dataset } {
  const validationCount = Math.round(fraction * dataset.count);
  if (!(fraction >= 0 && fraction < 1) || validationCount >= dataset.count) {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `${dataset.name}: expected a validation fraction in [0, 1) that leaves examples to train on, got ${fraction} of ${dataset.count}`,
    );
  }
  const rows = splitRows(dataset.count, { fraction, seed });
  return { training: takeExamples(dataset, rows.training), validation: takeExamples(dataset, rows.validation) };
}

/**
 * Which examples a split puts where.
 *
 * @param count  N.
 * @param split  Fraction and seed.
 * @returns  Positions of the training and of the validation examples in the source, each ascending.
 */
export function splitRows(count: number, { fraction, seed }: ValidationSplit): { training: Uint32Array; validation: Uint32Array } {
  const validationCount = Math.round(fraction * count);
  const order = createRandom(seed).shuffle(Uint32Array.from({ length: count }, (_, n) => n));
  return { training: order.slice(validationCount).sort(), validation: order.slice(0, validationCount).sort() };
}

function takeTargets(targets: Targets, indices: ArrayLike<number>): Targets {
  if (targets.kind === 'labels') return { ...targets, labels: Int32Array.from(indices, (n) => targets.labels[n]) };
  if (targets.kind === 'none') return targets;
  const { values, width } = targets;
  return {
    ...targets,
    values: Float32Array.from({ length: indices.length * width }, (_, i) => values[indices[Math.floor(i / width)] * width + (i % width)]),
  };
}

function sliceTargets(targets: Targets, start: number, end: number): Targets {
  if (targets.kind === 'labels') return { ...targets, labels: targets.labels.subarray(start, end) };
  if (targets.kind === 'none') return targets;
  return { ...targets, values: targets.values.subarray(start * targets.width, end * targets.width) };
}
