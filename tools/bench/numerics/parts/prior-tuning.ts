import { identitySeeds, jacobianColumns, microBatchSize } from '@sublace/curvature';
import { Rows } from '@sublace/network';
import type { FitSpecInput } from '@sublace/pipeline';
import * as tf from '@tensorflow/tfjs';
import type { Bench, Part } from '../bench.ts';
import { accumulateInSteps, finaliseInSteps, selectInSteps } from '../fit-in-steps.ts';
import type { Measurement } from '../measurement.ts';
import { benchFolder } from '../problems/folders.ts';
import { drawKernelWeights, openProblem, type OpenProblem } from '../problems/open-problem.ts';
import { quantile } from '../report/statistics.ts';

/** Examples held out, beside twice as many to fit. */
const VALIDATION_COUNT = 1000;

/** What it costs to find the prior precision. */
export const priorTuning: Part = {
  title: 'prior precision by validation loss over a whole grid, beside one pass over the validation Jacobians',
  processes: 1,
  threads: 1,
  problems: ['lenet5'],
  cases: { 'lenet5-500': (bench) => measure(bench, 500), 'lenet5-1000': (bench) => measure(bench, 1000) },
};

async function measure(bench: Bench, size: number): Promise<Measurement[]> {
  const held = bench.isQuick ? VALIDATION_COUNT / 10 : VALIDATION_COUNT;
  const finalise = async (priorPrecision: NonNullable<FitSpecInput['priorPrecision']>): Promise<number[]> => {
    const validation = { fraction: 1 / 3, seed: 0 };
    const fit = await selectInSteps('lenet5', { count: 3 * held, subnetwork: `random:${size}`, validation, priorPrecision });
    const tiles = await accumulateInSteps(fit, fit.selection);
    const folder = benchFolder('posteriors', 'prior-tuning');
    // Finalise lets go of the tiles that it is given.
    return bench.time(() =>
      finaliseInSteps(
        fit,
        tiles.map((tile) => ({ ...tile, data: tile.data.slice() })),
        folder,
      ),
    );
  };
  const given = await finalise(1);
  const tuned = await finalise('validation');
  const opened = await openProblem('lenet5', held);
  const indices = drawKernelWeights(opened.network, size);
  const pass = await bench.time(() => jacobianPass(opened, indices));
  const problem = `${opened.title}, ${held} held out, S = ${size}`;
  const rest = quantile(given, 0.5);
  return [
    { problem, quantity: 'one pass of Jacobians', seconds: pass },
    { problem, quantity: 'finalise, prior given', seconds: given },
    {
      problem,
      quantity: 'finalise, prior tuned',
      seconds: tuned,
      floorName: 'finalise with the prior given, and one pass of Jacobians',
      floor: { seconds: rest + quantile(pass, 0.5) },
      facts: [`the grid costs ${((quantile(tuned, 0.5) - rest) / quantile(pass, 0.5)).toFixed(1)} passes`],
    },
  ];
}

/** Jacobians of held-out examples, in batches as the prior is tuned with. */
function jacobianPass({ network, inputs, count }: OpenProblem, indices: Int32Array): void {
  const { outputCount, inputShape } = network;
  const batchSize = Math.min(128, microBatchSize(network, indices.length, outputCount));
  const width = inputs.length / count;
  for (let start = 0; start < count; start += batchSize) {
    const batch = Math.min(batchSize, count - start);
    tf.tidy(() => {
      const tape = network.record(tf.tensor(inputs.subarray(start * width, (start + batch) * width), [batch, ...inputShape]));
      jacobianColumns(network, tape, identitySeeds(batch, outputCount), new Rows(batch, outputCount), indices);
    });
  }
}
