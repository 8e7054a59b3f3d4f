import { jacobianColumns, microBatchSize, squareRootSeeds } from '@sublace/curvature';
import { categorical } from '@sublace/likelihoods';
import { Rows } from '@sublace/network';
import * as tf from '@tensorflow/tfjs';
import type { Bench, Part } from '../bench.ts';
import type { Measurement } from '../measurement.ts';
import { drawKernelWeights, openProblem } from '../problems/open-problem.ts';
import type { ProblemName } from '../problems/problems.ts';

/** Jacobian columns with the forward pass and the seeds: all of the GGN but the products A'A. */
export const columns: Part = {
  title: 'forward pass and Jacobian columns of all rows, as the GGN needs them',
  processes: 1,
  threads: 1,
  problems: ['lenet5', 'mlp', 'transformer', 'resnet18'],
  cases: {
    'lenet5-1000': (bench) => measure(bench, 'lenet5', 1000, 2000),
    'lenet5-4000': (bench) => measure(bench, 'lenet5', 4000, 2000),
    'mlp-1000': (bench) => measure(bench, 'mlp', 1000, 2000),
    'transformer-1000': (bench) => measure(bench, 'transformer', 1000, 500),
    'resnet18-1000': (bench) => measure(bench, 'resnet18', 1000, 16),
  },
};

async function measure(bench: Bench, name: ProblemName, size: number, wanted: number): Promise<Measurement[]> {
  const { title, network, inputs, count, products } = await openProblem(name, bench.isQuick ? Math.ceil(wanted / 10) : wanted);
  const indices = drawKernelWeights(network, size);
  const rowsPerExample = categorical.seedCount(network.outputCount);
  const batchSize = microBatchSize(network, size, rowsPerExample);
  const width = inputs.length / count;
  const seconds = await bench.time(() => {
    for (let start = 0; start < count; start += batchSize) {
      const batch = Math.min(batchSize, count - start);
      tf.tidy(() => {
        const tape = network.record(tf.tensor(inputs.subarray(start * width, (start + batch) * width), [batch, ...network.inputShape]));
        const seeds = squareRootSeeds(categorical, tape.outputs);
        jacobianColumns(network, tape, seeds, new Rows(batch, rowsPerExample), indices);
      });
    }
  });
  const rows = count * rowsPerExample;
  return [
    {
      problem: `${title}, S = ${size}`,
      quantity: 'columns',
      seconds,
      work: { amount: count, unit: 'examples' },
      floorName: 'layer products forward and backward, columns written once',
      floor: { float32Flops: 2 * (products.forward * count + products.backward * rows), copiedBytes: 4 * size * rows },
      facts: [`batches of ${batchSize}`, `${rowsPerExample} rows per example`],
    },
  ];
}
