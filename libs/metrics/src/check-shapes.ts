import { SublaceError } from '@sublace/errors';

/** Numbers in a row; every metric reads them and never writes. */
export type NumberArray = ArrayLike<number>;

/**
 * Number of classes C of a flat [N, C] array that goes with N labels.
 *
 * @param name  The metric, for the message.
 * @param values  [N, C] row-major.
 * @param labels  [N], each a whole number in 0..C-1.
 * @returns  C.
 * @throws SublaceError SHAPE_MISMATCH when the lengths do not divide, DATA_INVALID for a label out of range.
 */
export function classCountOf(name: string, values: NumberArray, labels: NumberArray): number {
  const classCount = values.length / labels.length;
  if (labels.length === 0 || !Number.isInteger(classCount) || classCount < 1) {
    throw new SublaceError(
      'SHAPE_MISMATCH',
      `${name}: expected [N, C] values and [N] labels with N >= 1, got ${values.length} values and ${labels.length} labels`,
    );
  }
  for (let n = 0; n < labels.length; n++) {
    if (!Number.isInteger(labels[n]) || labels[n] < 0 || labels[n] >= classCount) {
      throw new SublaceError('DATA_INVALID', `${name}: expected labels in 0..${classCount - 1}, got ${labels[n]} at row ${n}`);
    }
  }
  return classCount;
}

/**
 * Checks that arrays share one length of at least 1.
 *
 * @param name  The metric, for the message.
 * @param arrays  Named arrays.
 * @returns  The common length N.
 * @throws SublaceError SHAPE_MISMATCH when they differ or are empty.
 */
export function commonLength(name: string, arrays: Record<string, NumberArray>): number {
  const lengths = Object.entries(arrays).map(([key, array]) => [key, array.length] as const);
  const length = lengths[0][1];
  if (length === 0 || lengths.some(([, other]) => other !== length)) {
    throw new SublaceError(
      'SHAPE_MISMATCH',
      `${name}: expected arrays of one length >= 1, got ${lengths.map(([key, n]) => `${key} [${n}]`).join(', ')}`,
    );
  }
  return length;
}

/**
 * Position of the largest value of row n; the first one on a tie.
 *
 * @param values  [N, C] row-major.
 * @param n  Row.
 * @param classCount  C.
 * @returns  Index in 0..C-1.
 */
export function argmaxOfRow(values: NumberArray, n: number, classCount: number): number {
  let best = 0;
  for (let c = 1; c < classCount; c++) if (values[n * classCount + c] > values[n * classCount + best]) best = c;
  return best;
}
