import { SublaceError } from '@sublace/errors';
import { toFloat32, type Tensor } from '@sublace/tensor-files';
import type { Dataset, Targets } from '../dataset.ts';

/** What targets are for: class labels, answers of yes or no (0 or 1, one or several), or regression values. */
export type TargetUse = 'classification' | 'binary' | 'regression';

/** The use where it is known; undefined: whole-number types are labels, floating-point types are values. */
export type LikelihoodHint = TargetUse | undefined;

/**
 * A data set from an array of inputs and an array of targets.
 *
 * @param name  Of the data set.
 * @param x  [N, ...inputShape]; [N] becomes [N, 1]; bytes [N, H, W] are taken for grey images [N, H, W, 1].
 * @param y  [N] or [N, width]; undefined: no targets.
 * @param hint  What the targets are for.
 * @returns  The data set.
 * @throws SublaceError DATA_INVALID when the counts differ or the targets do not fit the hint.
 */
export function datasetFromTensors(name: string, x: Tensor, y: Tensor | undefined, hint: LikelihoodHint): Dataset {
  if (x.shape.length === 0) throw new SublaceError('DATA_INVALID', `${name}: expected inputs [N, ...], got a single number`);
  const [count, ...rest] = x.shape;
  if (y && y.shape[0] !== count)
    throw new SublaceError(
      'DATA_INVALID',
      `${name}: expected as many targets as inputs, got inputs [${x.shape.join(', ')}] and targets [${y.shape.join(', ')}]`,
    );
  const isGrey = x.dtype === 'U8' && rest.length === 2;
  return {
    name,
    count,
    inputShape: isGrey ? [...rest, 1] : rest.length === 0 ? [1] : rest,
    inputs: toFloat32(x),
    targets: y ? targetsFromTensor(name, y, hint) : { kind: 'none' },
  };
}

function targetsFromTensor(name: string, y: Tensor, hint: LikelihoodHint): Targets {
  const width = y.shape.slice(1).reduce((product, size) => product * size, 1);
  const isWhole = !y.dtype.startsWith('F');
  if (hint === 'classification' || (hint === undefined && isWhole && width === 1)) return labelsFrom(name, toFloat32(y), width);
  if (hint === 'binary') return flagsFrom(name, toFloat32(y), width);
  return { kind: 'values', values: toFloat32(y), width };
}

/**
 * Answers of yes or no from numbers.
 *
 * @param name  Of the data set.
 * @param values  [N, width], each 0 or 1.
 * @param width  Answers per example.
 * @returns  Flags.
 * @throws SublaceError DATA_INVALID naming the first bad row.
 */
export function flagsFrom(name: string, values: ArrayLike<number>, width = 1): Targets {
  const bad = Array.prototype.findIndex.call(values, (value) => value !== 0 && value !== 1);
  if (bad < 0) return { kind: 'flags', values: Float32Array.from(values), width };
  const row = Math.floor(bad / width);
  throw new SublaceError(
    'DATA_INVALID',
    `${name}: expected binary targets of 0 or 1, got ${values[bad]} in row ${row} (target ${bad % width})`,
  );
}

/**
 * Class labels from numbers; C is the largest label plus one.
 *
 * @param name  Of the data set.
 * @param values  [N] whole numbers >= 0.
 * @param width  Numbers per example; must be 1.
 * @returns  Labels.
 * @throws SublaceError DATA_INVALID naming the first bad row.
 */
export function labelsFrom(name: string, values: ArrayLike<number>, width = 1): Targets {
  if (width !== 1)
    throw new SublaceError(
      'DATA_INVALID',
      `${name}: expected one class label per example, got ${width} numbers (one-hot targets are not read)`,
    );
  const labels = new Int32Array(values.length);
  let largest = -1;
  for (let n = 0; n < values.length; n++) {
    const label = values[n];
    if (!Number.isInteger(label) || label < 0 || label > 2 ** 24) {
      throw new SublaceError('DATA_INVALID', `${name}: expected class labels 0, 1, 2, ..., got ${label} in row ${n}`);
    }
    labels[n] = label;
    largest = Math.max(largest, label);
  }
  return { kind: 'labels', labels, classCount: largest + 1 };
}
