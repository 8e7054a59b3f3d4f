/**
 * Square roots of diagonal output Hessians: sqrt(lambda_c) e_c for the largest lambda first.
 *
 * @param diagonals  Diagonals of Lambda, [B, C] row-major.
 * @param outputCount  C.
 * @param count  Rows per example wanted, at most C.
 * @returns  [B count, C] row-major.
 */
export function diagonalSeeds(diagonals: Float64Array, outputCount: number, count: number): Float32Array {
  const batch = diagonals.length / outputCount;
  const seeds = new Float32Array(batch * count * outputCount);
  for (let n = 0; n < batch; n++) {
    const diagonal = diagonals.subarray(n * outputCount, (n + 1) * outputCount);
    const order = fallingOrder(diagonal);
    for (let j = 0; j < count; j++) seeds[(n * count + j) * outputCount + order[j]] = Math.sqrt(diagonal[order[j]]);
  }
  return seeds;
}

/**
 * What the rows of {@link diagonalSeeds} leave of the trace: entry (n, j) is the sum of all but the j largest.
 *
 * @param diagonals  Diagonals of Lambda, [B, C] row-major.
 * @param outputCount  C.
 * @returns  [B, C] row-major.
 */
export function diagonalResiduals(diagonals: Float64Array, outputCount: number): Float64Array {
  const traces = new Float64Array(diagonals.length);
  for (let start = 0; start < diagonals.length; start += outputCount) {
    const diagonal = diagonals.subarray(start, start + outputCount);
    const order = fallingOrder(diagonal);
    let sum = 0;
    for (let j = outputCount - 1; j >= 0; j--) {
      sum += diagonal[order[j]];
      traces[start + j] = sum;
    }
  }
  return traces;
}

/** Positions by falling value; the smaller position first on a tie. */
function fallingOrder(values: Float64Array): Uint32Array {
  return Uint32Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b);
}
