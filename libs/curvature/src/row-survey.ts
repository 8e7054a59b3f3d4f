import { SublaceError } from '@sublace/errors';

/** Bins per doubling of the residual trace. */
const BINS_PER_OCTAVE = 4;

/** Bins for residual traces from 2^-128 to 2^128; what is smaller or larger is counted in the first or last. */
const BIN_COUNT = 256 * BINS_PER_OCTAVE;

/** A cut that keeps more than this share of the rows is not made: it would save nothing, and the exact GGN is exact. */
const WORTHWHILE_SHARE = 0.9;

/** Which rows of the GGN are worth computing. */
export interface RowCut {
  /** A row j of an example is kept where the trace that is left before it, trace(Lambda - sum_{i<j} l_i l_i'), is at least this. */
  readonly threshold: number;
  /** Rows of the exact GGN, and those kept. */
  readonly rowCount: number;
  readonly keptCount: number;
  /** Share of the sum of trace(Lambda) that is left out. */
  readonly droppedShare: number;
}

/**
 * How much of the output Hessians lies in which rows, over any number of examples: a histogram over the trace that is left before each row. A trained
 * classifier is sure of most examples, and most rows carry next to nothing.
 *
 * Counts and sums add up over batches and shards, so a cut made from the total does not depend on how the data were divided.
 */
export class RowSurvey {
  readonly #counts = new Float64Array(BIN_COUNT);
  readonly #masses = new Float64Array(BIN_COUNT);

  /**
   * Counts the rows of some examples.
   *
   * @param residualTraces  What is left before each row, [B, K] row-major, non-increasing in each row.
   * @param seedCount  K.
   */
  add(residualTraces: Float64Array, seedCount: number): void {
    for (let i = 0; i < residualTraces.length; i++) {
      const left = residualTraces[i];
      const after = (i + 1) % seedCount === 0 ? 0 : residualTraces[i + 1];
      const bin = binOf(left);
      this.#counts[bin]++;
      this.#masses[bin] += left - after;
    }
  }

  /**
   * Counts and masses, to be summed over shards.
   *
   * @returns  [2 bins] float32.
   */
  toVector(): Float32Array {
    return Float32Array.from([...this.#counts, ...this.#masses]);
  }
}

/**
 * The cut that leaves out the most rows whose traces sum to no more than a share of the whole; none where that is hardly any.
 *
 * @param survey  Summed vectors of {@link RowSurvey}.
 * @param tolerance  The share; 0 keeps every row.
 * @returns  The cut.
 * @throws {SublaceError} NUMERICAL_FAILURE when the traces are not finite.
 */
export function cutRows(survey: ArrayLike<number>, tolerance: number): RowCut {
  const [counts, masses] = [0, BIN_COUNT].map((start) => Array.from({ length: BIN_COUNT }, (_, bin) => survey[start + bin]));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const [rowCount, mass] = [sum(counts), sum(masses)];
  if (!Number.isFinite(mass)) {
    throw new SublaceError('NUMERICAL_FAILURE', `output Hessians: expected a finite trace, got ${mass}; check the scale of the outputs`);
  }
  let [bin, dropped, droppedCount] = [0, 0, 0];
  while (tolerance > 0 && bin < BIN_COUNT && dropped + masses[bin] <= tolerance * mass) {
    dropped += masses[bin];
    droppedCount += counts[bin];
    bin++;
  }
  const keptCount = rowCount - droppedCount;
  if (keptCount > WORTHWHILE_SHARE * rowCount) return { threshold: 0, rowCount, keptCount: rowCount, droppedShare: 0 };
  return { threshold: lowestOf(bin), rowCount, keptCount, droppedShare: mass > 0 ? dropped / mass : 0 };
}

function binOf(trace: number): number {
  if (Number.isNaN(trace)) return BIN_COUNT - 1;
  if (trace <= 0) return 0;
  const bin = Math.min(BIN_COUNT - 1, Math.max(0, Math.floor(Math.log2(trace) * BINS_PER_OCTAVE) + BIN_COUNT / 2));
  // The logarithm may be off by a rounding at an edge, and the cut compares with the edge itself.
  if (bin > 0 && trace < lowestOf(bin)) return bin - 1;
  return bin < BIN_COUNT - 1 && trace >= lowestOf(bin + 1) ? bin + 1 : bin;
}

/** Smallest trace in a bin. */
function lowestOf(bin: number): number {
  return 2 ** ((bin - BIN_COUNT / 2) / BINS_PER_OCTAVE);
}
