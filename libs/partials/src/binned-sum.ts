import { SublaceError } from '@sublace/errors';

/** Width of a bin in bits: the significand of a float32, so that a value spans at most two neighbouring bins. */
const BIN_BITS = 24;

/** From the unit of a bin to that of the next one. */
const BIN_RATIO = 2 ** BIN_BITS;
const PER_BIN_RATIO = 1 / BIN_RATIO;

/** Bins of float32 run from -6 (all subnormals are in it) to 5; tables are indexed by bin + 8. */
const LOWEST_BIN = -6;
const TABLE_OFFSET = 8;
const UNIT = Float64Array.from({ length: 16 }, (_, i) => 2 ** (BIN_BITS * (i - TABLE_OFFSET)));
const PER_UNIT = UNIT.map((unit) => 1 / unit);

/** floor((e - 127) / 24) for the biased exponent e of a float32. */
const BIN_OF_EXPONENT = Int8Array.from({ length: 256 }, (_, e) => Math.max(LOWEST_BIN, Math.floor((e - 127) / BIN_BITS)));

/** Addends up to which both bins stay exact: 2^28 values below 2^24 units stay below 2^53 units. */
const ADDENDS_MAX = 2 ** 28;

/** Everything that a {@link BinnedSum} knows. */
export interface BinnedSumState {
  /** Highest bin of each element. */
  bins: Int8Array;
  /** Sum of each element in its highest bin, and in the one below. */
  high: Float64Array;
  low: Float64Array;
  addendCount: number;
}

/**
 * Exact, hence order-free, sum of float32 arrays of any dynamic range, with a precision relative to each element's own largest addend.
 *
 * The exponent axis is cut into absolute bins of 24 bits, bin j holding multiples of 2^(24 j). Per element two float64 sums are kept: A for
 * the highest bin j seen so far and B for bin j - 1. An addend is truncated toward zero (truncation, unlike rounding, does not depend on
 * what came before) to its multiples of each bin; what lies below bin j - 1 is dropped, less than 2^(24 (j - 1)) per addend. When a larger
 * addend raises j, B takes over A. Both sums hold integer multiples of their unit below 2^53 units, so no addition ever rounds.
 *
 * A two-fold case of binned summation: Ahrens, Demmel and Nguyen, Algorithms for Efficient Reproducible Floating Point Summation, TOMS 46(3)
 * 2020.
 */
export class BinnedSum {
  readonly #bins: Int8Array;
  readonly #A: Float64Array;
  readonly #B: Float64Array;
  #addendCount = 0;

  /**
   * @param length  Number of elements.
   */
  constructor(length: number) {
    this.#bins = new Int8Array(length).fill(LOWEST_BIN);
    this.#A = new Float64Array(length);
    this.#B = new Float64Array(length);
  }

  /**
   * A sum as it was saved.
   *
   * @param state  What {@link state} gave. Borrowed.
   * @returns  A sum that goes on from there.
   * @throws SublaceError SHAPE_MISMATCH when the arrays differ in length.
   */
  static restore({ bins, high, low, addendCount }: BinnedSumState): BinnedSum {
    if (bins.length !== high.length || high.length !== low.length) {
      throw new SublaceError(
        'SHAPE_MISMATCH',
        `sum: expected bins and sums of one length, got ${bins.length}, ${high.length} and ${low.length}`,
      );
    }
    const sum = new BinnedSum(bins.length);
    sum.#bins.set(bins);
    sum.#A.set(high);
    sum.#B.set(low);
    sum.#addendCount = addendCount;
    return sum;
  }

  /** Number of elements. */
  get length(): number {
    return this.#A.length;
  }

  /**
   * Adds one array. After an error the sum must be discarded: part of the array may be in it.
   *
   * @param addend  [length]. Borrowed.
   * @throws SublaceError NUMERICAL_FAILURE for NaN or infinity, SUM_OVERFLOW after 2^28 addends, SHAPE_MISMATCH for another length.
   */
  add(addend: Float32Array): void {
    if (addend.length !== this.length)
      throw new SublaceError('SHAPE_MISMATCH', `sum: expected ${this.length} elements, got ${addend.length}`);
    this.#count(1);
    const refused = addTruncated(this.#bins, this.#A, this.#B, addend);
    if (refused < 0) return;
    throw new SublaceError('NUMERICAL_FAILURE', `sum: expected finite addends, got ${addend[refused]} at element ${refused}`);
  }

  /**
   * Adds another sum; the result has the bits of adding its addends one by one.
   *
   * @param other  Sum of as many elements. Borrowed.
   * @throws SublaceError SHAPE_MISMATCH when the lengths differ, SUM_OVERFLOW after 2^28 addends.
   */
  merge(other: BinnedSum): void {
    const [bins, A, B] = [this.#bins, this.#A, this.#B];
    if (other.length !== A.length) throw new SublaceError('SHAPE_MISMATCH', `merge: expected ${A.length} elements, got ${other.length}`);
    this.#count(other.#addendCount);
    for (let i = 0; i < A.length; i++) {
      const [ours, theirs] = [bins[i], other.#bins[i]];
      const top = Math.max(ours, theirs);
      const [a, b] = [A[i], B[i]];
      A[i] = (ours === top ? a : 0) + (theirs === top ? other.#A[i] : 0);
      B[i] = (ours === top ? b : ours === top - 1 ? a : 0) + (theirs === top ? other.#B[i] : theirs === top - 1 ? other.#A[i] : 0);
      bins[i] = top;
    }
  }

  /**
   * Everything that it knows, to be saved.
   *
   * @returns  Views, not copies.
   */
  state(): BinnedSumState {
    return { bins: this.#bins, high: this.#A, low: this.#B, addendCount: this.#addendCount };
  }

  /**
   * The sum so far.
   *
   * @returns  [length] float64, a fresh array: A + B, rounded once.
   */
  value(): Float64Array {
    const [A, B] = [this.#A, this.#B];
    const value = new Float64Array(A.length);
    for (let i = 0; i < value.length; i++) value[i] = A[i] + B[i];
    return value;
  }

  #count(addendCount: number): void {
    this.#addendCount += addendCount;
    if (this.#addendCount > ADDENDS_MAX) {
      throw new SublaceError(
        'SUM_OVERFLOW',
        `sum: expected at most ${ADDENDS_MAX} addends, got ${this.#addendCount}; use fewer, larger shards`,
      );
    }
  }
}

/** Elements that are looked at, then added: few enough to be in the cache for the second pass. */
const PASS_LENGTH = 4096;

/**
 * The inner loops, apart from the class so that the engine compiles them with nothing but locals in them; and two of them, since it makes slow code of one
 * that also does what is seldom needed.
 *
 * @returns  -1, or the index of the first element that is not finite.
 */
function addTruncated(bins: Int8Array, A: Float64Array, B: Float64Array, addend: Float32Array): number {
  const bits = new Int32Array(addend.buffer, addend.byteOffset, addend.length);
  for (let start = 0; start < addend.length; start += PASS_LENGTH) {
    const end = Math.min(start + PASS_LENGTH, addend.length);
    const refused = raiseBins(bins, A, B, bits, start, end);
    if (refused >= 0) return refused;
    addInBins(bins, A, B, addend, start, end);
  }
  return -1;
}

/** Gives every element a bin that its addend fits into. */
function raiseBins(bins: Int8Array, A: Float64Array, B: Float64Array, bits: Int32Array, start: number, end: number): number {
  const binOfExponent = BIN_OF_EXPONENT;
  for (let i = start; i < end; i++) {
    const exponent = (bits[i] >>> 23) & 255; // biased by 127; 255 is NaN or infinity
    const bin = binOfExponent[exponent];
    if (bin <= bins[i] && exponent !== 255) continue;
    if (exponent === 255) return i;
    B[i] = bin === bins[i] + 1 ? A[i] : 0;
    A[i] = 0;
    bins[i] = bin;
  }
  return -1;
}

function addInBins(bins: Int8Array, A: Float64Array, B: Float64Array, addend: Float32Array, start: number, end: number): void {
  const [units, perUnits] = [UNIT, PER_UNIT];
  for (let i = start; i < end; i++) {
    const x = addend[i];
    const at = bins[i] + TABLE_OFFSET;
    const unit = units[at];
    const perUnit = perUnits[at];
    const high = Math.trunc(x * perUnit) * unit;
    A[i] += high;
    // The bin below has a unit smaller by 2^24, and all of these are powers of two: nothing is rounded.
    B[i] += Math.trunc((x - high) * (perUnit * BIN_RATIO)) * (unit * PER_BIN_RATIO);
  }
}
