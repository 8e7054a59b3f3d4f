import { setImmediate as tick } from 'node:timers/promises';
import { startBackend } from '@sublace/backend';
import { ownerGrid, ownerOfTile, tilesOfLowerTriangle } from '@sublace/partials';
import { DOUBLE, testRandom } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  factorise,
  spreadCost,
  spreadFactorise,
  TiledMatrix,
  type BadPivot,
  type FactoriseOptions,
  type SpreadOutcome,
  type SpreadPeers,
  type TilePlace,
  type TileSource,
} from './index.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** B B' + n I for a random B. */
function positiveDefinite(size: number, seed: number): Float64Array {
  const b = testRandom(seed).normals(size * size);
  return Float64Array.from({ length: size * size }, (_, k) => {
    const [i, j] = [Math.floor(k / size), k % size];
    let sum = i === j ? size : 0;
    for (let m = 0; m < size; m++) sum += b[i * size + m] * b[j * size + m];
    return sum;
  });
}

/** The naive twin: the textbook's recursion in doubles. */
function naiveFactor(a: Float64Array, n: number): Float64Array {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = a[i * n + j];
      for (let k = 0; k < j; k++) rest -= l[i * n + k] * l[j * n + k];
      l[i * n + j] = i === j ? Math.sqrt(rest) : rest / l[j * n + j];
    }
  }
  return l;
}

const keyOf = ({ row, column }: TilePlace): string => `${row}/${column}`;

/** Participants in one process. Everything that one asks of another comes after a random number of turns of the event loop. */
class Fleet {
  readonly tiles = new Map<string, Float64Array>();
  readonly asked: string[][];
  readonly #waiting = new Map<string, (() => void)[]>();
  readonly #ended: (BadPivot | undefined)[] = [];
  readonly #count: number;
  readonly #random: ReturnType<typeof testRandom>;

  constructor(count: number, seed: number) {
    this.#count = count;
    this.#random = testRandom(seed);
    this.asked = Array.from({ length: count }, () => []);
  }

  async run(matrix: TileSource, options: FactoriseOptions = {}): Promise<SpreadOutcome[]> {
    return Promise.all(
      Array.from({ length: this.#count }, async (_, slot) => {
        const { size, tileSize } = matrix;
        const own = async (row: number, column: number): Promise<Float64Array> => {
          await this.#pause();
          expect(ownerOfTile({ row, column }, this.#count)).toBe(slot);
          return matrix.tile(row, column).slice();
        };
        const ownerOf = (tile: TilePlace): number => ownerOfTile(tile, this.#count);
        const outcome = await spreadFactorise({ size, tileSize, slot, ownerOf, matrix: own, peers: this.#peers(slot), ...options });
        if (outcome.status !== 'ok') this.#ended[slot] = outcome;
        for (const wake of [...this.#waiting.values()].flat()) wake();
        return outcome;
      }),
    );
  }

  #peers(slot: number): SpreadPeers {
    return {
      pull: (owner, places) => this.#pull(slot, owner, places),
      offer: (place, values) => {
        expect(ownerOfTile(place, this.#count)).toBe(slot);
        expect(this.tiles.has(keyOf(place))).toBe(false);
        this.tiles.set(keyOf(place), values);
        for (const wake of this.#waiting.get(keyOf(place)) ?? []) wake();
      },
    };
  }

  async *#pull(slot: number, owner: number, places: readonly TilePlace[]): AsyncGenerator<Float64Array | BadPivot> {
    for (const place of places) {
      expect(ownerOfTile(place, this.#count)).toBe(owner);
      this.asked[slot].push(keyOf(place));
      await this.#pause();
      for (;;) {
        const [tile, end] = [this.tiles.get(keyOf(place)), this.#ended[owner]];
        if (tile || end) yield (tile?.slice() ?? end)!;
        if (tile) break;
        if (end) return;
        await new Promise<void>((wake) => this.#waiting.set(keyOf(place), [...(this.#waiting.get(keyOf(place)) ?? []), wake]));
      }
    }
  }

  async #pause(): Promise<void> {
    for (let turns = Math.floor(this.#random.uniform(0, 6)); turns > 0; turns--) await tick();
  }
}

/** Places and bytes of both factors are compared, tile by tile. */
async function expectSameBits(size: number, tileSize: number, count: number, seed: number): Promise<void> {
  const dense = positiveDefinite(size, seed);
  const matrix = TiledMatrix.fromDense(dense, size, tileSize);
  const options = { divisor: 1 + seed, diagonal: Float64Array.from(testRandom(seed).normals(size), Math.abs) };
  const fleet = new Fleet(count, seed);
  const outcomes = await fleet.run(matrix, options);
  expect(outcomes).toEqual(outcomes.map(() => ({ status: 'ok' })));
  const twin = factorise(matrix, options);
  if (twin.status !== 'ok') throw new Error(twin.remedy);
  const naive = naiveFactor(
    dense.map((value, i) => value / options.divisor + (i % (size + 1) === 0 ? options.diagonal[i / (size + 1)] : 0)),
    size,
  );
  for (const { row, column, rowStart, columnStart, rows, columns } of tilesOfLowerTriangle(size, tileSize)) {
    const tile = fleet.tiles.get(`${row}/${column}`)!;
    expect(tile).toEqual(twin.factor.tile(row, column));
    const plain = Array.from({ length: rows * columns }, (_, k) => {
      return naive[(rowStart + Math.floor(k / columns)) * size + columnStart + (k % columns)];
    });
    expect(tile).toBeAllclose(plain, DOUBLE);
  }
  twin.factor.dispose();
  const pulled = fleet.asked.map((keys) => keys.length);
  expect(new Set(fleet.asked.flatMap((keys, slot) => keys.map((key) => `${slot} ${key}`))).size).toBe(pulled.reduce((a, b) => a + b, 0));
  for (const [slot, keys] of fleet.asked.entries()) {
    const bytes = keys.reduce((sum, key) => sum + fleet.tiles.get(key)!.byteLength, 0);
    expect(bytes).toBe(spreadCost({ size, tileSize, slot, ownerOf: (tile) => ownerOfTile(tile, count) }).pulledBytes);
  }
}

describe('spreadFactorise', () => {
  // Tiles of 3: one tile; less than a strip; one strip; a ragged third strip; five strips.
  it.each([
    [2, 3],
    [8, 3],
    [12, 3],
    [26, 3],
    [31, 2],
    [59, 3],
  ])('has the bits of factorise for 1 to 4 and 6 participants: size %i in tiles of %i', async (size, tileSize) => {
    const before = tf.memory().numTensors;
    for (const count of [1, 2, 3, 4, 6]) await expectSameBits(size, tileSize, count, size + count);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('has them for any sizes and any order of arrival', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 48 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(1000),
        expectSameBits,
      ),
      { numRuns: 25, seed: 1 },
    );
  });

  it.each([1, 2, 5, 11, 20])('ends for all participants where factorise does, of a matrix that fails at row %i', async (position) => {
    const before = tf.memory().numTensors;
    const [size, tileSize] = [43, 2];
    const dense = positiveDefinite(size, 8);
    for (let i = 0; i < size; i++) dense[position * size + i] = dense[i * size + position] = dense[(position - 1) * size + i];
    dense[position * (size + 1)] = dense[(position - 1) * (size + 1)] - 1e-3;
    const matrix = TiledMatrix.fromDense(dense, size, tileSize);
    const twin = factorise(matrix);
    if (twin.status === 'ok') throw new Error('expected no factor');
    const expected = { status: twin.status, position, pivot: twin.pivot };
    for (const count of [1, 2, 3, 4]) {
      expect(await new Fleet(count, count).run(matrix)).toEqual(Array.from({ length: count }, () => expected));
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it('ends with what a pull throws, and with the reason of its signal, and frees what it holds', async () => {
    const before = tf.memory().numTensors;
    const [size, tileSize] = [20, 2];
    const matrix = TiledMatrix.fromDense(positiveDefinite(size, 3), size, tileSize);
    const part = (peers: SpreadPeers, signal?: AbortSignal): Promise<SpreadOutcome> =>
      spreadFactorise({
        size,
        tileSize,
        slot: 0,
        ownerOf: (tile) => ownerOfTile(tile, 2),
        matrix: (row, column) => matrix.tile(row, column).slice(),
        peers,
        ...(signal && { signal }),
      });
    const lost: SpreadPeers = {
      pull: async function* () {
        await tick();
        throw new Error('peer is gone');
      },
      offer: () => undefined,
    };
    await expect(part(lost)).rejects.toThrow('peer is gone');
    const stop = new AbortController();
    const silent: SpreadPeers = {
      pull: async function* (_owner, _places, signal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        yield* [];
      },
      offer: () => setTimeout(() => stop.abort(new Error('fenced')), 1),
    };
    await expect(part(silent, stop.signal)).rejects.toThrow('fenced');
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('spreadCost', () => {
  it.each([1, 2, 4, 6, 9, 16])('is the formula of the documentation, nearly, for %i participants', (count) => {
    const [size, tileSize] = [96 * 8, 8];
    const { rows, columns } = ownerGrid(count);
    const costs = Array.from({ length: count }, (_, slot) =>
      spreadCost({ size, tileSize, slot, ownerOf: (tile) => ownerOfTile(tile, count) }),
    );
    const total = (of: (cost: (typeof costs)[number]) => number): number => costs.reduce((sum, cost) => sum + of(cost), 0);
    expect(total((cost) => cost.tileCount)).toBe((96 * 97) / 2);
    expect(total((cost) => cost.flops) / (size ** 3 / 3)).toBeCloseTo(1, 1);
    expect(total((cost) => cost.pulledBytes) / (4 * size ** 2) - (rows + columns - 2)).toBeLessThan(0.02 * (rows + columns));
    expect(total((cost) => cost.pulledBytes) / (4 * size ** 2) - (rows + columns - 2)).toBeGreaterThan(-0.1 * (rows + columns));
    const shares = costs.map((cost) => cost.flops);
    expect(Math.max(...shares) / (total((cost) => cost.flops) / count)).toBeLessThan(1.15);
  });
});
