import * as tf from '@tensorflow/tfjs';
import { activeBackend, float64, type Float64Matrix } from '@sublace/backend';
import { tilesOfLowerTriangle, type Block, type Tile } from '@sublace/partials';
import { partsOfTile, tileFromParts, type TilePart } from './tile-parts.ts';

/**
 * Largest S whose products are summed in float64: there it costs little, and directions that the data hardly determine keep their digits
 * (docs/gotchas.md). WebAssembly has no fast float64 product.
 */
const FLOAT64_SIZE = { tensorflow: 512, wasm: 256 } as const;

/** Rows that are gathered before the tiles are updated: reading and writing every tile then costs a hundredth of the products. */
const UPDATE_ROWS = 4096;

/** Bytes that the gathered rows may take; for large S it bounds them. */
const GATHERED_BYTES = 256 * 2 ** 20;

/** Options of a GGN sum. */
export interface GgnOptions {
  /** Side of a tile. */
  readonly tileSize?: number;
  /** Precision of the products A'A and of the sum. Default: float64 for small S, else float32. */
  readonly precision?: 'float32' | 'float64';
}

/**
 * The generalised Gauss-Newton matrix of some examples over a subnetwork, as tiles of its lower triangle:
 *
 *   H = sum_n J_n' Lambda_n J_n = A'A        (Daxberger et al. 2021, arXiv 2010.14689, section 3; a sum, never a mean)
 *
 * with A' the Jacobian columns seeded by square roots of Lambda_n. Flops: R S^2 for R rows in all, the lower triangle only.
 */
export class GgnAccumulator {
  readonly #tiles: readonly { readonly tile: Tile; readonly parts: readonly PartSum[] }[];
  readonly #rowsMax: number;
  /** Kept: they outlive the tidy of a batch. */
  #gathered: tf.Tensor2D[] = [];
  #rowCount = 0;

  /**
   * @param size  S.
   * @param options  Tiles and precision.
   */
  constructor(size: number, options: GgnOptions = {}) {
    const precision = options.precision ?? (size <= FLOAT64_SIZE[activeBackend().name] ? 'float64' : 'float32');
    const sumOf = (part: TilePart): PartSum => (precision === 'float64' ? new Float64PartSum(part) : new Float32PartSum(part));
    this.#tiles = tilesOfLowerTriangle(size, options.tileSize).map((tile) => ({ tile, parts: partsOfTile(tile).map(sumOf) }));
    this.#rowsMax = Math.min(UPDATE_ROWS, Math.ceil(GATHERED_BYTES / (4 * size)));
  }

  /**
   * Adds rows' outer products: H += A'A.
   *
   * @param columns  A', [S, R]. Borrowed.
   */
  accumulate(columns: tf.Tensor2D): void {
    this.#gathered.push(tf.keep(tf.clone(columns)));
    this.#rowCount += columns.shape[1];
    if (this.#rowCount >= this.#rowsMax) this.#update();
  }

  /**
   * The tiles, named `ggn/row/column`; the accumulator is spent.
   *
   * @returns  One block per tile.
   */
  finish(): Block[] {
    this.#update();
    return this.#tiles.map(({ tile, parts }) => ({
      name: tile.name,
      shape: [tile.rows, tile.columns],
      data: tileFromParts(
        tile,
        parts.map((sum) => ({ part: sum.part, data: sum.finish() })),
      ),
    }));
  }

  #update(): void {
    if (this.#gathered.length === 0) return;
    tf.tidy(() => {
      const a = this.#gathered.length === 1 ? this.#gathered[0] : (tf.concat(this.#gathered, 1) as tf.Tensor2D);
      const panels = new Panels(a);
      for (const { parts } of this.#tiles) for (const sum of parts) sum.add(panels);
      panels.dispose();
    });
    tf.dispose(this.#gathered);
    this.#gathered = [];
    this.#rowCount = 0;
  }
}

/** Stretches of the gathered columns, each made once per update. */
class Panels {
  readonly #a: tf.Tensor2D;
  readonly #float32 = new Map<string, tf.Tensor2D>();
  readonly #float64 = new Map<string, Float64Matrix>();

  constructor(a: tf.Tensor2D) {
    this.#a = a;
  }

  /** [count, R] */
  float32(start: number, count: number): tf.Tensor2D {
    const key = `${start} ${count}`;
    const panel = this.#float32.get(key) ?? tf.slice(this.#a, [start, 0], [count, this.#a.shape[1]]);
    this.#float32.set(key, panel);
    return panel;
  }

  /** [count, R], widened. */
  float64(start: number, count: number): Float64Matrix {
    const key = `${start} ${count}`;
    const panel = this.#float64.get(key) ?? float64().fromTensor(this.float32(start, count));
    this.#float64.set(key, panel);
    return panel;
  }

  /** Frees the widened panels; the others belong to the enclosing tidy. */
  dispose(): void {
    float64().dispose(...this.#float64.values());
  }
}

/** The sum of one part of a tile. */
interface PartSum {
  readonly part: TilePart;
  /** Adds A_i' A_j for the part's rows i and columns j. */
  add(panels: Panels): void;
  finish(): Float32Array | Float64Array;
}

class Float32PartSum implements PartSum {
  readonly part: TilePart;
  #sum: tf.Tensor | undefined;

  constructor(part: TilePart) {
    this.part = part;
  }

  add(panels: Panels): void {
    const { rowStart, rows, columnStart, columns } = this.part;
    const product = tf.matMul(panels.float32(rowStart, rows), panels.float32(columnStart, columns), false, true);
    const before = this.#sum;
    // Kept: it outlives the tidy of an update.
    this.#sum = tf.keep(before ? tf.add(before, product) : product);
    if (before) tf.dispose([before, product]);
  }

  finish(): Float32Array {
    const data = (this.#sum?.dataSync() ?? new Float32Array(this.part.rows * this.part.columns)) as Float32Array;
    this.#sum?.dispose();
    return data;
  }
}

class Float64PartSum implements PartSum {
  readonly part: TilePart;
  readonly #sum: Float64Array;

  constructor(part: TilePart) {
    this.part = part;
    this.#sum = new Float64Array(part.rows * part.columns);
  }

  add(panels: Panels): void {
    const ops = float64();
    const { rowStart, rows, columnStart, columns } = this.part;
    const product = ops.matMul(panels.float64(rowStart, rows), panels.float64(columnStart, columns), { transposeB: true });
    const values = ops.download(product);
    for (let i = 0; i < values.length; i++) this.#sum[i] += values[i];
    ops.dispose(product);
  }

  finish(): Float64Array {
    return this.#sum;
  }
}
