import { factorise, TiledMatrix } from '@sublace/linalg';
import { tilesOfLowerTriangle } from '@sublace/partials';
import type { Bench, Part } from '../bench.ts';
import type { Measurement } from '../measurement.ts';

/** The blocked Cholesky factorisation of the posterior precision. */
export const factorisation: Part = {
  title: 'blocked Cholesky factorisation in float64, tile by tile',
  processes: 1,
  threads: 1,
  problems: [],
  cases: {
    1000: (bench) => measure(bench, 1000),
    4000: (bench) => measure(bench, bench.isQuick ? 2000 : 4000),
    8000: (bench) => measure(bench, bench.isQuick ? 3000 : 8000),
  },
};

async function measure(bench: Bench, size: number): Promise<Measurement[]> {
  const tiles = tilesOfLowerTriangle(size).map(({ rows, columns }) => Float64Array.from({ length: rows * columns }, (_, i) => Math.sin(i)));
  const matrix = new TiledMatrix(size, tiles);
  // Larger than the sum of the others in its row: positive definite.
  const diagonal = new Float64Array(size).fill(size);
  const seconds = await bench.time(() => {
    const outcome = factorise(matrix, { diagonal });
    if (outcome.status !== 'ok') throw new Error(`factorisation: expected a factor, got ${outcome.status}`);
    outcome.factor.dispose();
  });
  const flops = size ** 3 / 3;
  return [
    {
      problem: `S = ${size}`,
      quantity: 'Cholesky factor',
      seconds,
      work: { amount: flops / 1e9, unit: 'GFLOP' },
      floorName: 'S^3 / 3 flops',
      floor: { float64Flops: flops },
    },
  ];
}
