import { float64, type Float64Matrix } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import { denseOf, type TileSource } from '@sublace/linalg';
import { tilesOfLowerTriangle } from '@sublace/partials';
import { normalSampler } from './normal-sampler.ts';
import type { Eigenbasis } from './truncated-covariance.ts';

const EXACT_SIZE_MAX = 1024;

/** Vectors iterated beyond those wanted: the last of a subspace converge slowest. */
const OVERSAMPLING = 32;

/** Iterations end when no eigenvalue 1 + lambda changes by more than this share of it, or after a number of them. */
const CHANGE_MAX = 1e-5;
const ITERATIONS_MAX = 40;

/** Vectors that a search by tolerance begins with. */
const RANK_FIRST = 128;

/** How many eigenpairs: a number, or all from an eigenvalue on. */
export type RankChoice = { readonly rank: number } | { readonly tolerance: number };

/** The prior and how the data term is scaled. */
export interface EigenbasisOptions {
  /** D, [S]. */
  readonly priorPrecision: Float64Array;
  /** Divides the GGN. */
  readonly temperature: number;
  /** Up to this S every eigenpair is computed and the leading ones are kept, about 10 S^3 flops. Default 1,024. */
  readonly exactSizeMax?: number;
  /** Called between slices of the work, so that others can be served. */
  readonly pause?: () => Promise<void>;
}

/**
 * Leading eigenpairs of the GGN relative to the prior, A = D^-1/2 (H / temperature) D^-1/2.
 *
 * Exact for small S. For large S by subspace iteration with A + I, whose smallest eigenvalue is 1, so that the iterates stay independent; a Rayleigh-Ritz step
 * (Halko et al. 2011, arXiv 0909.4061, section 4.5) takes the eigenpairs from the last subspace. Float64; tiles are read once for each iteration.
 *
 * @param ggn  H, [S, S]. Borrowed.
 * @param options  Prior and temperature.
 * @param choice  `rank`: this many; `tolerance`: all eigenvalues from it on, since the first that is left out bounds the relative error of a variance.
 * @returns  The eigenpairs, largest first.
 * @throws {SublaceError} INVALID_ARGUMENT for a rank that is no number from 1 to S, or a tolerance that no S - 1 eigenpairs meet.
 */
export async function leadingEigenbasis(ggn: TileSource, options: EigenbasisOptions, choice: RankChoice): Promise<Eigenbasis> {
  const { size } = ggn;
  if ('rank' in choice && !(Number.isInteger(choice.rank) && choice.rank >= 1 && choice.rank <= size))
    throw new SublaceError('INVALID_ARGUMENT', `rank: expected a number from 1 to ${size}, got ${choice.rank}`);
  if ('tolerance' in choice && !(choice.tolerance > 0))
    throw new SublaceError('INVALID_ARGUMENT', `tolerance: expected a positive number, got ${choice.tolerance}`);
  if (size <= (options.exactSizeMax ?? EXACT_SIZE_MAX)) return chosen(exact(ggn, options), size, choice);
  if ('rank' in choice) return chosen(await iterated(ggn, options, choice.rank), size, choice);
  for (let rank = RANK_FIRST; ; rank *= 2) {
    const basis = await iterated(ggn, options, Math.min(rank, size));
    if (rank >= size || (basis.eigenvalues.at(-1) ?? 0) < choice.tolerance) return chosen(basis, size, choice);
  }
}

/** The pairs that a choice keeps: at least one. */
function chosen({ eigenvalues, vectors }: Eigenbasis, size: number, choice: RankChoice): Eigenbasis {
  const rank = 'rank' in choice ? choice.rank : Math.max(1, eigenvalues.filter((value) => value >= choice.tolerance).length);
  return { eigenvalues: eigenvalues.slice(0, rank), vectors: vectors.slice(0, rank * size) };
}

function exact(ggn: TileSource, { priorPrecision, temperature }: EigenbasisOptions): Eigenbasis {
  const { size } = ggn;
  const scale = priorPrecision.map((value) => 1 / Math.sqrt(value));
  const scaled = denseOf(ggn).map((value, i) => (value * scale[i % size] * scale[Math.floor(i / size)]) / temperature);
  const ops = float64();
  const matrix = ops.upload(scaled, [size, size]);
  const { values, vectors } = ops.symmetricEigen(matrix);
  const columns = ops.download(vectors);
  ops.dispose(matrix, vectors);
  return descending(values, columns, size);
}

/** Eigenpairs from ascending values and vectors as columns, [S, n]. */
function descending(values: Float64Array, columns: Float64Array, size: number): Eigenbasis {
  const count = values.length;
  const vectors = new Float32Array(count * size);
  for (let k = 0; k < count; k++) for (let s = 0; s < size; s++) vectors[k * size + s] = columns[s * count + count - 1 - k];
  return { eigenvalues: values.map((_, k) => Math.max(values[count - 1 - k], 0)), vectors };
}

async function iterated(ggn: TileSource, options: EigenbasisOptions, rank: number): Promise<Eigenbasis> {
  const { size } = ggn;
  const ops = float64();
  const width = Math.min(size, rank + OVERSAMPLING);
  const normal = normalSampler(1);
  let basis = orthonormal(Float64Array.from({ length: size * width }, normal), size, width);
  let before = new Float64Array(width);
  for (let iteration = 0; ; iteration++) {
    const image = await product(ggn, options, basis, width); // (A + I) Q
    const [left, right] = [basis, image].map((values) => ops.upload(values, [size, width]));
    const small = ops.matMul(left, right, { transposeA: true });
    const { values, vectors } = ops.symmetricEigen(small);
    const isDone =
      iteration + 1 >= ITERATIONS_MAX ||
      leading(values, rank).every((value, k) => Math.abs(value - leading(before, rank)[k]) <= CHANGE_MAX * value);
    if (isDone) {
      const ritz = ops.matMul(left, vectors);
      const columns = ops.download(ritz);
      ops.dispose(left, right, small, vectors, ritz);
      return descending(
        values.map((value) => value - 1),
        columns,
        size,
      );
    }
    ops.dispose(left, right, small, vectors);
    before = Float64Array.from(values);
    basis = orthonormal(image, size, width);
  }
}

/** The largest of ascending values. */
function leading(values: Float64Array, count: number): Float64Array {
  return values.slice(-count);
}

/** (D^-1/2 (H / temperature) D^-1/2 + I) X, tile by tile; each tile of the lower triangle stands for the one above as well. */
async function product(
  ggn: TileSource,
  { priorPrecision, temperature, pause }: EigenbasisOptions,
  x: Float64Array,
  width: number,
): Promise<Float64Array> {
  const ops = float64();
  const scale = priorPrecision.map((value) => 1 / Math.sqrt(value));
  const scaled = x.map((value, i) => value * scale[Math.floor(i / width)]);
  const sums = new Float64Array(x.length);
  const add = (values: Float64Matrix, row: number): void => {
    const part = ops.download(values);
    const start = row * ggn.tileSize * width;
    for (let i = 0; i < part.length; i++) sums[start + i] += part[i];
    ops.dispose(values);
  };
  for (const { row, column, rows, columns } of tilesOfLowerTriangle(ggn.size, ggn.tileSize)) {
    const values = row === column ? mirrored(ggn.tile(row, row), rows) : ggn.tile(row, column);
    const tile = ops.upload(values, [rows, columns]);
    const rowsOf = (at: number, count: number): Float64Matrix =>
      ops.upload(scaled.slice(at * ggn.tileSize * width, (at * ggn.tileSize + count) * width), [count, width]);
    const right = rowsOf(column, columns);
    add(ops.matMul(tile, right), row);
    ops.dispose(right);
    if (row !== column) {
      const below = rowsOf(row, rows);
      add(ops.matMul(tile, below, { transposeA: true }), column);
      ops.dispose(below);
    }
    ops.dispose(tile);
    await pause?.();
  }
  return sums.map((value, i) => (value * scale[Math.floor(i / width)]) / temperature + x[i]);
}

/** A tile on the diagonal, of which only the lower triangle counts, as a whole. */
function mirrored(tile: Float64Array, side: number): Float64Array {
  return tile.map((value, i) => {
    const [row, column] = [Math.floor(i / side), i % side];
    return row >= column ? value : tile[column * side + row];
  });
}

/** Columns with the same span, orthonormal: X L^-T with L L' = X'X, twice, since once leaves an error of the squared condition (Yamamoto et al. 2015). */
function orthonormal(x: Float64Array, size: number, width: number): Float64Array {
  const ops = float64();
  let values = x;
  for (let pass = 0; pass < 2; pass++) {
    const columns = ops.upload(values, [size, width]);
    const gram = ops.matMul(columns, columns, { transposeA: true });
    const outcome = ops.cholesky(gram);
    if (outcome.status !== 'ok')
      throw new SublaceError('NUMERICAL_FAILURE', `eigenbasis: expected ${width} independent vectors, got fewer; ask for a smaller rank`);
    const transposed = ops.transpose(columns);
    const solved = ops.triangularSolve(outcome.factor, transposed); // L^-1 X'
    const result = ops.transpose(solved);
    values = ops.download(result);
    ops.dispose(columns, gram, outcome.factor, transposed, solved, result);
  }
  return values;
}
