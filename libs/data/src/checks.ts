import { SublaceError } from '@sublace/errors';
import { inputSize, type Dataset, type Targets } from './dataset.ts';

/**
 * Checks that every input and target is a finite number.
 *
 * @param dataset  To check.
 * @throws SublaceError DATA_INVALID naming the first bad row, counted from 0.
 */
export function checkFinite(dataset: Dataset): void {
  checkRows(dataset.name, 'input', dataset.inputs, inputSize(dataset));
  if ('values' in dataset.targets) checkRows(dataset.name, 'target', dataset.targets.values, dataset.targets.width);
}

function checkRows(name: string, what: string, values: Float32Array, width: number): void {
  for (let i = 0; i < values.length; i++) {
    // x - x is 0 for every finite x and NaN for the others: one test for both kinds.
    if (values[i] - values[i] !== 0) {
      throw new SublaceError(
        'DATA_INVALID',
        `${name}: expected finite numbers, got ${values[i]} in row ${Math.floor(i / width)} (${what} value ${i % width}); mend or remove the row`,
      );
    }
  }
}

/**
 * Checks that the targets are labels in 0..classCount-1.
 *
 * @param dataset  To check.
 * @param classCount  C that the model has; default: the data set's own.
 * @throws SublaceError DATA_INVALID naming the first bad row, counted from 0.
 */
export function checkLabels(dataset: Dataset, classCount?: number): void {
  const { name, targets } = dataset;
  if (targets.kind !== 'labels') {
    throw new SublaceError('DATA_INVALID', `${name}: expected class labels, got ${describeTargets(targets)}`);
  }
  const limit = classCount ?? targets.classCount;
  const bad = targets.labels.findIndex((label) => label < 0 || label >= limit);
  if (bad >= 0)
    throw new SublaceError('DATA_INVALID', `${name}: expected labels in 0..${limit - 1}, got ${targets.labels[bad]} in row ${bad}`);
}

/**
 * Checks that there are so many target values for every example.
 *
 * @param dataset  To check.
 * @param kind  `values` of a regression or `flags` (0 or 1).
 * @param width  Values per example that the model answers.
 * @returns  The values, [N, width]; a view.
 * @throws SublaceError DATA_INVALID.
 */
export function checkTargetValues({ name, targets }: Dataset, kind: 'values' | 'flags', width: number): Float32Array {
  if (targets.kind === kind && targets.width === width) return targets.values;
  const what = kind === 'values' ? 'target values' : 'targets of 0 or 1';
  throw new SublaceError('DATA_INVALID', `${name}: expected ${width} ${what} per example, got ${describeTargets(targets)}`);
}

function describeTargets(targets: Targets): string {
  switch (targets.kind) {
    case 'labels':
      return 'class labels';
    case 'values':
      return `${targets.width} regression value${targets.width === 1 ? '' : 's'}`;
    case 'flags':
      return `${targets.width} target${targets.width === 1 ? '' : 's'} of 0 or 1`;
    case 'none':
      return 'no targets';
  }
}

/**
 * Checks that the inputs fit a model, and gives them its shape. Axes of size 1 may differ ([28, 28] fits [28, 28, 1]): the memory
 * is the same.
 *
 * @param dataset  To check.
 * @param expected  Shape of one input of the model.
 * @returns  The data set with exactly the expected input shape, sharing memory.
 * @throws SublaceError DATA_INVALID with both shapes.
 */
export function checkInputShape(dataset: Dataset, expected: readonly number[]): Dataset {
  const essential = (shape: readonly number[]): string => shape.filter((size) => size !== 1).join();
  if (essential(dataset.inputShape) !== essential(expected)) {
    const [channels, ...rest] = dataset.inputShape;
    const hint =
      [...rest, channels].join() === expected.join() && dataset.inputShape.length === 3 ? '; images must have their channels last' : '';
    throw new SublaceError(
      'DATA_INVALID',
      `${dataset.name}: expected inputs [${expected.join(', ')}] for this model, got [${dataset.inputShape.join(', ')}]${hint}`,
    );
  }
  return { ...dataset, inputShape: [...expected] };
}
