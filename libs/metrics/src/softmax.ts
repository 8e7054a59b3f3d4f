import { SublaceError } from '@sublace/errors';
import type { NumberArray } from './check-shapes.ts';

/**
 * Log softmax of each row, through a shifted log-sum-exp so that no finite logit overflows.
 *
 *   log p_c = f_c - max(f) - log sum_k exp(f_k - max(f))
 *
 * @param logits  [N, C] row-major.
 * @param classCount  C.
 * @returns  [N, C] log probabilities in nats, float64.
 * @throws SublaceError SHAPE_MISMATCH when the length is not a multiple of C.
 */
export function logSoftmax(logits: NumberArray, classCount: number): Float64Array {
  if (!Number.isInteger(classCount) || classCount < 1 || logits.length % classCount !== 0) {
    throw new SublaceError('SHAPE_MISMATCH', `logSoftmax: expected logits [N, C], got ${logits.length} values for C = ${classCount}`);
  }
  const result = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += classCount) {
    let largest = -Infinity;
    for (let c = 0; c < classCount; c++) largest = Math.max(largest, logits[start + c]);
    let sum = 0;
    for (let c = 0; c < classCount; c++) sum += Math.exp(logits[start + c] - largest);
    const logSum = Math.log(sum);
    for (let c = 0; c < classCount; c++) result[start + c] = logits[start + c] - largest - logSum;
  }
  return result;
}

/**
 * Softmax of each row; the exponential of {@link logSoftmax}.
 *
 * @param logits  [N, C] row-major.
 * @param classCount  C.
 * @returns  [N, C] probabilities, float64.
 * @throws SublaceError SHAPE_MISMATCH when the length is not a multiple of C.
 */
export function softmax(logits: NumberArray, classCount: number): Float64Array {
  return logSoftmax(logits, classCount).map(Math.exp);
}
