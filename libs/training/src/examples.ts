import { SublaceError } from '@sublace/errors';

/** What a network is trained to answer: class labels, regression targets in normalised units, or answers of yes or no (0 or 1). */
export type TrainingTargets =
  | { readonly kind: 'labels'; readonly labels: Int32Array; readonly classCount: number }
  | { readonly kind: 'values' | 'flags'; readonly values: Float32Array; readonly width: number };

/** Examples in memory: inputs [count, ...inputShape] row-major, already normalised, and their targets. */
export interface Examples {
  readonly count: number;
  readonly inputShape: readonly number[];
  readonly inputs: Float32Array;
  readonly targets: TrainingTargets;
}

/** Numbers of inputs and of targets per example; for labels the number of classes. */
export const inputSize = (examples: Examples): number => examples.inputShape.reduce((product, size) => product * size, 1);
export const targetSize = ({ targets }: Examples): number => (targets.kind === 'labels' ? targets.classCount : targets.width);

/**
 * Refuses examples that cannot be trained on: wrong lengths, labels out of range, non-finite inputs or targets.
 *
 * @param examples  Examples to check.
 * @param name  What they are, for the message, for example `training data`.
 * @throws SublaceError DATA_INVALID that names the first bad example by its index.
 */
export function checkExamples(examples: Examples, name: string): void {
  const { count, inputs, targets } = examples;
  const size = inputSize(examples);
  if (count < 1) throw new SublaceError('DATA_INVALID', `${name}: expected at least one example, got ${count}`);
  checkLength(inputs.length, count * size, `${name}: inputs of ${count} examples of [${examples.inputShape.join(', ')}]`);
  checkFinite(inputs, size, `${name}: inputs`);
  if (targets.kind !== 'labels') {
    checkLength(targets.values.length, count * targets.width, `${name}: targets of ${count} examples`);
    checkFinite(targets.values, targets.width, `${name}: targets`);
    const bad = targets.kind === 'flags' ? targets.values.findIndex((value) => value !== 0 && value !== 1) : -1;
    if (bad >= 0) {
      const where = `index ${Math.floor(bad / targets.width)}`;
      throw new SublaceError('DATA_INVALID', `${name}: expected targets of 0 or 1, got ${targets.values[bad]} at ${where}`);
    }
    return;
  }
  checkLength(targets.labels.length, count, `${name}: labels of ${count} examples`);
  const bad = targets.labels.findIndex((label) => label < 0 || label >= targets.classCount);
  if (bad >= 0) {
    throw new SublaceError(
      'DATA_INVALID',
      `${name}: expected labels from 0 to ${targets.classCount - 1}, got ${targets.labels[bad]} at index ${bad}`,
    );
  }
}

function checkLength(got: number, expected: number, what: string): void {
  if (got !== expected) throw new SublaceError('DATA_INVALID', `${what}: expected ${expected} elements, got ${got}`);
}

function checkFinite(values: Float32Array, rowSize: number, what: string): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw new SublaceError(
    'DATA_INVALID',
    `${what}: expected finite values, got ${values[bad]} at index ${Math.floor(bad / rowSize)}; remove that row`,
  );
}

/**
 * Copies some examples, in the order given.
 *
 * @param examples  Where to take them from.
 * @param indices  Which ones, [B].
 * @returns  B examples in new arrays.
 */
export function takeExamples(examples: Examples, indices: ArrayLike<number>): Examples {
  const { targets } = examples;
  const inputs = takeRows(examples.inputs, inputSize(examples), indices);
  const taken: TrainingTargets =
    targets.kind !== 'labels'
      ? { ...targets, values: takeRows(targets.values, targets.width, indices) }
      : { ...targets, labels: Int32Array.from(indices, (index) => targets.labels[index]) };
  return { count: indices.length, inputShape: examples.inputShape, inputs, targets: taken };
}

function takeRows(values: Float32Array, rowSize: number, indices: ArrayLike<number>): Float32Array {
  const rows = new Float32Array(indices.length * rowSize);
  for (let row = 0; row < indices.length; row++) {
    rows.set(values.subarray(indices[row] * rowSize, (indices[row] + 1) * rowSize), row * rowSize);
  }
  return rows;
}
