import { availableParallelism } from 'node:os';
import { openPosterior } from '@sublace/pipeline';
import * as tf from '@tensorflow/tfjs';
import type { Bench, Part } from '../bench.ts';
import { accumulateInSteps, finaliseInSteps, selectInSteps } from '../fit-in-steps.ts';
import type { Measurement } from '../measurement.ts';
import { PEERS } from '../peers.ts';
import { benchFolder } from '../problems/folders.ts';
import { openProblem } from '../problems/open-problem.ts';
import { quantile } from '../report/statistics.ts';
import { formatNumber } from '../report/table.ts';

const BATCH = 100;

/** Probabilities by the probit link, as they are served. */
export const prediction: Part = {
  title: 'probabilities of 100 inputs at once and of a single one, from raw inputs, beside the forward pass of the MAP',
  processes: 1,
  threads: availableParallelism(),
  problems: ['lenet5'],
  cases: {
    'lenet5-1000': (bench) => measure(bench, 1000),
    'lenet5-4000': (bench) => measure(bench, 4000),
  },
};

async function measure(bench: Bench, size: number): Promise<Measurement[]> {
  const folder = benchFolder('posteriors', `prediction-${size}`);
  const fit = await selectInSteps('lenet5', { count: bench.isQuick ? 200 : 2000, subnetwork: `random:${size}` });
  await finaliseInSteps(fit, await accumulateInSteps(fit, fit.selection), folder);
  const fitted = await openPosterior(folder);
  const { title, rawInputs, inputs } = await openProblem('lenet5', BATCH);
  const { network } = fitted;
  const problem = `${title}, S = ${size}`;
  const width = inputs.length / BATCH;

  const figuresOf = async (count: number): Promise<Measurement[]> => {
    const batch = tf.tensor(inputs.subarray(0, count * width), [count, ...network.inputShape]);
    const map = await bench.time(() => tf.tidy(() => network.forward(batch).dataSync()));
    const seconds = await bench.time(() => fitted.predict(rawInputs.subarray(0, count * width), count));
    batch.dispose();
    const inputsText = count === 1 ? '1 input' : `${count} inputs`;
    return [
      { problem, quantity: `${inputsText}, MAP only`, seconds: map },
      {
        problem,
        quantity: inputsText,
        seconds,
        floorName: count === 1 ? 'forward pass' : 'forward pass, S^2 float64 flops per output',
        floor: { seconds: quantile(map, 0.5), ...(count > 1 && { float64Flops: count * network.outputCount * size ** 2 }) },
        facts: [`90 % within ${formatNumber(1000 * quantile(seconds, 0.9))} ms`],
        ...(count === BATCH && { peers: PEERS.predict100[size] }),
      },
    ];
  };
  return [...(await figuresOf(BATCH)), ...(await figuresOf(1))];
}
