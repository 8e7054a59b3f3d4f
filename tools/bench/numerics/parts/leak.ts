import { openPosterior } from '@sublace/pipeline';
import * as tf from '@tensorflow/tfjs';
import type { Bench, Part } from '../bench.ts';
import { accumulateInSteps, finaliseInSteps, selectInSteps } from '../fit-in-steps.ts';
import type { Measurement } from '../measurement.ts';
import { benchFolder } from '../problems/folders.ts';
import { openProblem } from '../problems/open-problem.ts';
import { PROBLEMS } from '../problems/problems.ts';
import { quantile } from '../report/statistics.ts';

const REPETITIONS = 200;

/** Repetitions between two looks at the memory. */
const SAMPLE_EVERY = 20;

/** Repetitions before memory is looked at: pools and caches fill. */
const WARM_UP = 50;

/** What resident memory may grow by after that: an eighth of a megabyte per repetition, less than any of its matrices. */
const SLACK_BYTES = 24 * 2 ** 20;

const [SIZE, EXAMPLES] = [500, 50];

/** Memory that does not come back. */
export const leak: Part = {
  title: `tensors and resident memory over ${REPETITIONS} repetitions after ${WARM_UP} to warm up; at most ${SLACK_BYTES / 2 ** 20} MiB more, and no tensor`,
  processes: 1,
  threads: 1,
  problems: ['lenet5'],
  cases: {
    accumulate: async (bench) => {
      const { plan, selection, indices, run } = await selectInSteps('lenet5', { count: EXAMPLES, subnetwork: `random:${SIZE}` });
      return watch(bench, 'accumulate', () => run({ phase: 'accumulate', plan, selection, shard: 0, inputs: indices }));
    },
    predict: async (bench) => {
      const folder = benchFolder('posteriors', 'leak');
      const fit = await selectInSteps('lenet5', { count: EXAMPLES, subnetwork: `random:${SIZE}` });
      await finaliseInSteps(fit, await accumulateInSteps(fit, fit.selection), folder);
      const fitted = await openPosterior(folder);
      const { rawInputs } = await openProblem('lenet5', EXAMPLES);
      return watch(bench, 'predict', () => fitted.predict(rawInputs, EXAMPLES));
    },
  },
};

async function watch(bench: Bench, quantity: string, work: () => unknown): Promise<Measurement[]> {
  for (let i = 0; i < WARM_UP; i++) await work();
  const samples = [await sampleMemory()];
  const seconds: number[] = [];
  for (let i = 1; i <= REPETITIONS; i++) {
    const start = performance.now();
    await work();
    seconds.push((performance.now() - start) / 1000);
    if (i % SAMPLE_EVERY === 0) samples.push(await sampleMemory());
  }
  const [before, after] = [samples[0], samples[samples.length - 1]];
  // A single sample may catch memory that the system has yet to take back.
  const [first, last] = [samples.slice(0, 3), samples.slice(-3)].map((some) =>
    quantile(
      some.map(({ bytes }) => bytes),
      0.5,
    ),
  );
  if (after.tensors !== before.tensors) {
    bench.fail(`${quantity}: expected ${before.tensors} tensors after ${REPETITIONS} repetitions, got ${after.tensors}`);
  }
  if (after.nativeTensors !== before.nativeTensors) {
    bench.fail(`${quantity}: expected ${before.nativeTensors} tensors in the runtime, got ${after.nativeTensors}`);
  }
  if (last - first > SLACK_BYTES) {
    bench.fail(`${quantity}: expected at most ${inMib(SLACK_BYTES)} MiB more after ${REPETITIONS} repetitions, got ${inMib(last - first)}`);
  }
  return [
    {
      problem: `${PROBLEMS.lenet5.title}, ${EXAMPLES} examples, S = ${SIZE}`,
      quantity,
      seconds,
      facts: [
        `tensors ${before.tensors} to ${after.tensors}, in the runtime ${before.nativeTensors ?? '-'} to ${after.nativeTensors ?? '-'}`,
        `resident ${inMib(first)} to ${inMib(last)} MiB`,
      ],
    },
  ];
}

interface Memory {
  readonly tensors: number;
  /** Of TensorFlow itself, those of float64 linear algebra included; WebAssembly does not count them. */
  readonly nativeTensors: number | undefined;
  readonly bytes: number;
}

async function sampleMemory(): Promise<Memory> {
  // The process was started with --expose-gc: what JavaScript has let go of is no leak. Buffers are freed behind its back, so it is asked twice.
  globalThis.gc?.();
  await new Promise((resolve) => setTimeout(resolve, 20));
  globalThis.gc?.();
  const { binding } = tf.backend() as unknown as { binding?: { getNumOfTensors(): number } };
  return { tensors: tf.memory().numTensors, nativeTensors: binding?.getNumOfTensors(), bytes: process.memoryUsage.rss() };
}

function inMib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
