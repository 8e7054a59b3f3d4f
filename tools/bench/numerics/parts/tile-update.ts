import { GgnAccumulator, type GgnOptions } from '@sublace/curvature';
import * as tf from '@tensorflow/tfjs';
import type { Bench, Part } from '../bench.ts';
import type { Measurement } from '../measurement.ts';

/** Rows of a backward pass, and of all of them. */
const PASS_ROWS = 1024;
const ROWS = 16_384;

/** The products A'A alone. */
export const tileUpdate: Part = {
  title: "H += A'A on random columns, and the sum read out at the end",
  processes: 1,
  threads: 1,
  problems: [],
  cases: {
    '500-float64': (bench) => measure(bench, 500, 'float64'),
    '1000-float32': (bench) => measure(bench, 1000, 'float32'),
    '4000-float32': (bench) => measure(bench, 4000, 'float32'),
  },
};

async function measure(bench: Bench, size: number, precision: NonNullable<GgnOptions['precision']>): Promise<Measurement[]> {
  const rows = bench.isQuick ? 2 * PASS_ROWS : ROWS;
  const pass = tf.randomUniform<tf.Rank.R2>([size, PASS_ROWS], -1, 1);
  const seconds = await bench.time(() => {
    const ggn = new GgnAccumulator(size, { precision });
    for (let done = 0; done < rows; done += PASS_ROWS) ggn.accumulate(pass);
    ggn.finish();
  });
  const flops = rows * size ** 2;
  return [
    {
      problem: `S = ${size}, ${rows} rows, ${precision}`,
      quantity: 'lower triangle',
      seconds,
      work: { amount: flops / 1e9, unit: 'GFLOP' },
      floorName: 'R S^2 flops',
      floor: precision === 'float32' ? { float32Flops: flops } : { float64Flops: flops },
    },
  ];
}
