import { SublaceError } from '@sublace/errors';

/** Guard bits between the largest diagonal element and the bound of the sum. */
const GUARD_BITS = 4;

/**
 * Exponent E for the sum of positive semi-definite partials: 2^E bounds every element with bits to spare.
 *
 *   E = ceil(log2(maxDiagonal)) + 4       since |H_ij| <= max_k H_kk for positive semi-definite H
 *
 * @param maxDiagonal  Largest diagonal element of the whole sum; >= 0 and finite.
 * @returns  E. For a zero matrix any exponent serves; it is chosen small, so that a non-zero addend is found out.
 * @throws SublaceError NUMERICAL_FAILURE when maxDiagonal is negative or not finite.
 */
export function quantumExponent(maxDiagonal: number): number {
  if (!Number.isFinite(maxDiagonal) || maxDiagonal < 0) {
    throw new SublaceError(
      'NUMERICAL_FAILURE',
      `maxDiagonal: expected a finite number >= 0, got ${maxDiagonal}; check the model and the data`,
    );
  }
  if (maxDiagonal === 0) return -200;
  // Math.log2 may be one ulp off near powers of two, where a ceiling would jump; comparing with exact powers settles it.
  let exponent = Math.ceil(Math.log2(maxDiagonal));
  while (2 ** exponent < maxDiagonal) exponent++;
  while (2 ** (exponent - 1) >= maxDiagonal) exponent--;
  return exponent + GUARD_BITS;
}

/**
 * Exact, hence order-free, sum of float32 (or float64) arrays whose magnitude is bounded beforehand.
 *
 * With q = 2^(E-53) every addend is rounded to a multiple of q by (x + K) - K, K = 1.5 * 2^52 q; multiples of q up to 2^E add without
 * error in float64. What rounding drops is at most q / 2 = 2^(E-54) per addend.
 *
 * Pre-rounding after Demmel and Nguyen, Fast Reproducible Floating-Point Summation, ARITH 2013.
 */
export class FixedQuantumSum {
  readonly exponent: number;
  readonly #sums: Float64Array;
  /** No addend so far was larger. */
  #largest = 0;
  /** No sum is larger: as many times the largest addend as there were arrays, or less where the sums were looked at. */
  #bound: number;

  /**
   * @param length  Number of elements; or the sums so far, which it then owns.
   * @param exponent  E: 2^E bounds the magnitude of every sum, 2^(E-2) that of every addend.
   * @throws SublaceError INVALID_ARGUMENT for an exponent outside -960..1000.
   */
  constructor(length: number | Float64Array, exponent: number) {
    if (!Number.isInteger(exponent) || exponent < -960 || exponent > 1000) {
      throw new SublaceError('INVALID_ARGUMENT', `exponent: expected an integer in -960..1000, got ${exponent}`);
    }
    this.exponent = exponent;
    this.#sums = typeof length === 'number' ? new Float64Array(length) : length;
    // Saved sums are looked at with the first addend.
    this.#bound = typeof length === 'number' ? 0 : Infinity;
  }

  /**
   * A sum as it was saved.
   *
   * @param values  What {@link value} gave. Owned by the sum from now on.
   * @param exponent  Its exponent.
   * @returns  A sum that goes on from there.
   * @throws SublaceError INVALID_ARGUMENT for an exponent outside -960..1000.
   */
  static restore(values: Float64Array, exponent: number): FixedQuantumSum {
    return new FixedQuantumSum(values, exponent);
  }

  /** Number of elements. */
  get length(): number {
    return this.#sums.length;
  }

  /**
   * Adds one array. After an error the sum must be discarded: part of the array may be in it.
   *
   * @param addend  [length], |x| <= 2^(E-2). Borrowed.
   * @throws SublaceError NUMERICAL_FAILURE for NaN or infinity, SUM_OVERFLOW outside the range, SHAPE_MISMATCH for another length.
   */
  add(addend: Float32Array | Float64Array): void {
    const sums = this.#sums;
    if (addend.length !== sums.length) {
      throw new SublaceError('SHAPE_MISMATCH', `sum: expected ${sums.length} elements, got ${addend.length}`);
    }
    const K = 1.5 * 2 ** (this.exponent - 1);
    const addFrom = (start: number): number =>
      addend instanceof Float32Array ? addSingle(sums, addend, K, start, this.#largest) : addDouble(sums, addend, K, start, this.#largest);
    // Goes on behind each addend that is larger than all before it; there are few such.
    for (let i = addFrom(0); i < sums.length; i = addFrom(i)) {
      const size = Math.abs(addend[i]);
      // Written so that NaN is out of range too.
      if (!(size <= 2 ** (this.exponent - 2))) this.#refuse(i, addend[i]);
      this.#largest = Math.min(2 * size, 2 ** (this.exponent - 2));
    }
    this.#raise(this.#largest, addend);
  }

  /**
   * Adds another sum with the same exponent; the result has the bits of adding its addends one by one.
   *
   * @param other  Sum of as many elements. Borrowed.
   * @throws SublaceError INVALID_ARGUMENT when the exponents differ, SHAPE_MISMATCH when the lengths do, SUM_OVERFLOW outside the range.
   */
  merge(other: FixedQuantumSum): void {
    if (other.exponent !== this.exponent) {
      throw new SublaceError('INVALID_ARGUMENT', `merge: expected exponent ${this.exponent}, got ${other.exponent}`);
    }
    const [sums, theirs] = [this.#sums, other.#sums];
    if (theirs.length !== sums.length)
      throw new SublaceError('SHAPE_MISMATCH', `merge: expected ${sums.length} elements, got ${theirs.length}`);
    for (let i = 0; i < sums.length; i++) sums[i] += theirs[i];
    this.#largest = Math.max(this.#largest, other.#largest);
    this.#raise(other.#bound, theirs);
  }

  /**
   * The sum so far.
   *
   * @returns  [length] float64; a view of the accumulator, not a copy.
   */
  value(): Float64Array {
    return this.#sums;
  }

  /** Takes note of how much larger any sum may have become. Only when that might be too much are the sums themselves looked at. */
  #raise(by: number, addend: Float32Array | Float64Array): void {
    this.#bound += by;
    const sumMax = 2 ** this.exponent;
    if (this.#bound <= sumMax) return;
    let largest = 0;
    for (let i = 0; i < this.#sums.length; i++) {
      const size = Math.abs(this.#sums[i]);
      if (size > sumMax) this.#refuse(i, addend[i]);
      if (size > largest) largest = size;
    }
    this.#bound = largest;
  }

  #refuse(index: number, x: number): never {
    if (!Number.isFinite(x)) throw new SublaceError('NUMERICAL_FAILURE', `sum: expected finite addends, got ${x} at element ${index}`);
    throw new SublaceError(
      'SUM_OVERFLOW',
      `sum: expected addends within 2^${this.exponent - 2} and sums within 2^${this.exponent}, got addend ${x} at element ${index}`,
    );
  }
}

/**
 * The inner loop, apart from the class so that the engine compiles it with nothing but locals in it; and twice, or else it would have to ask for the
 * type of the array at every element.
 *
 * @returns  The first position from `start` on whose addend is larger than `largest`, not added yet; the length when there is none.
 */
function addSingle(sums: Float64Array, addend: Float32Array, K: number, start: number, largest: number): number {
  for (let i = start; i < sums.length; i++) {
    const x = addend[i];
    if (!(Math.abs(x) <= largest)) return i;
    sums[i] += x + K - K;
  }
  return sums.length;
}

/** {@link addSingle} for float64. */
function addDouble(sums: Float64Array, addend: Float64Array, K: number, start: number, largest: number): number {
  for (let i = start; i < sums.length; i++) {
    const x = addend[i];
    if (!(Math.abs(x) <= largest)) return i;
    sums[i] += x + K - K;
  }
  return sums.length;
}
