/**
 * What an answer with uncertainty costs beside the forward pass of the MAP, in one process without a server: operations one by one, a graph for each batch, the
 * truncated covariance. All ways take turns, so that a busy machine is busy for all of them.
 *
 *   npm run bench -- predict [--posterior FOLDER] [--tolerance SHARE | --rank K] [--threads N] [--rounds COUNT]
 *
 * Without a posterior: LeNet-5 on MNIST where it is there (else on digits), 1,000 random weights, fitted once and kept in out/bench.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBackend } from '@sublace/backend';
import { findDataset } from '@sublace/data';
import { openPosterior, type FittedModel } from '@sublace/pipeline';
import { benchFolder } from './numerics/problems/folders.ts';
import { PROBLEMS } from './numerics/problems/problems.ts';
import { quantile } from './numerics/report/statistics.ts';
import { sublace } from './sublace.ts';

const BATCHES = [1, 16, 64];
const WARM_ROUNDS = 5;

/** One way to an answer. */
interface Way {
  readonly name: string;
  readonly answer: (inputs: Float32Array, count: number) => unknown;
}

/** Of one way, in each round. */
interface Times {
  /** Milliseconds by the clock. */
  readonly wall: number[];
  /** Of CPU, all threads together. */
  readonly cpu: number[];
}

/**
 * Runs the benchmark and prints its table.
 *
 * @param args  See above.
 */
export async function predict(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      posterior: { type: 'string' },
      tolerance: { type: 'string', default: '0.01' },
      rank: { type: 'string' },
      threads: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '100' },
    },
  });
  const exactFolder = values.posterior ?? keptPosterior();
  const truncatedFolder = truncated(exactFolder, values.rank === undefined ? ['--tolerance', values.tolerance] : ['--rank', values.rank]);
  const { name, version, threads } = await startBackend({ threads: Number(values.threads) });
  const plain = await openPosterior(exactFolder);
  const [exact, short] = [await openPosterior(exactFolder), await openPosterior(truncatedFolder, { covariance: 'truncated' })];
  for (const fitted of [exact, short]) await fitted.prepare({ batchMax: Math.max(...BATCHES) });
  const { subnetwork, truncation } = short.manifest;
  console.log(
    `${name} ${version}, ${threads} thread(s); ${subnetwork.rule} of ${plain.manifest.model.parameterCount} weights, rank ${truncation?.rank}`,
  );
  console.log(`truncation: ${JSON.stringify({ variance: truncation?.varianceError, probability: truncation?.probabilityError })}`);

  const map =
    (fitted: FittedModel): Way['answer'] =>
    (inputs, count) =>
      fitted.predict(inputs, count, { outputs: ['map_probabilities'] });
  const whole =
    (fitted: FittedModel): Way['answer'] =>
    (inputs, count) =>
      fitted.predict(inputs, count);
  const ways: readonly Way[] = [
    { name: 'MAP only', answer: map(exact) },
    { name: 'exact', answer: whole(exact) },
    { name: 'truncated', answer: whole(short) },
    { name: 'MAP only, operations one by one', answer: map(plain) },
    { name: 'exact, operations one by one, float64', answer: whole(plain) },
  ];
  const width = plain.inputShape.reduce((product, extent) => product * extent, 1);
  console.log(
    '\n| inputs | way | ms, median | 90 % within | CPU ms | times MAP only (median; CPU) | largest difference from the last row |',
  );
  console.log('| -: | - | -: | -: | -: | -: | -: |');
  for (const count of BATCHES) {
    const inputs = Float32Array.from({ length: count * width }, (_, i) => 127 * (1 + Math.sin(i * i)));
    const times = measure(ways, inputs, count, Number(values.rounds));
    const expected = plain.predict(inputs, count, { outputs: ['logit_variance'] })[0].data;
    for (const [i, way] of ways.entries()) {
      const { wall, cpu } = times[i];
      const ratio = quantile(wall.map((ms, round) => ms / times[0].wall[round]), 0.5); // prettier-ignore
      const cpuRatio = mean(cpu) / mean(times[0].cpu);
      const fitted = way.name === 'truncated' ? short : exact;
      const got = fitted.predict(inputs, count, { outputs: ['logit_variance'] })[0].data;
      const difference = way.name.startsWith('MAP')
        ? ''
        : got.reduce((max, value, k) => Math.max(max, Math.abs(value - expected[k]) / expected[k]), 0).toExponential(1);
      console.log(
        `| ${count} | ${way.name} | ${quantile(wall, 0.5).toFixed(3)} | ${quantile(wall, 0.9).toFixed(3)} | ${mean(cpu).toFixed(3)} | ${ratio.toFixed(2)}; ${cpuRatio.toFixed(2)} | ${difference} |`,
      );
    }
  }
  for (const fitted of [plain, exact, short]) fitted.dispose();
}

/** All ways in turn, round after round. */
function measure(ways: readonly Way[], inputs: Float32Array, count: number, rounds: number): Times[] {
  const times = ways.map((): Times => ({ wall: [], cpu: [] }));
  for (let round = -WARM_ROUNDS; round < rounds; round++) {
    for (const [i, { answer }] of ways.entries()) {
      const [start, cpu] = [performance.now(), process.cpuUsage()];
      answer(inputs, count);
      const [end, { user, system }] = [performance.now(), process.cpuUsage(cpu)];
      if (round < 0) continue;
      times[i].wall.push(end - start);
      times[i].cpu.push((user + system) / 1000);
    }
  }
  return times;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Fitted once. */
function keptPosterior(): string {
  const { model, data, prepare } = PROBLEMS.lenet5;
  const folder = join(keptFolder(), 'predict');
  if (existsSync(join(folder, 'manifest.json'))) return folder;
  prepare();
  sublace('fit', '--model', model, '--data', data(6000), '--subnetwork', 'random:1000', '--prior-precision', '30', '--out', folder);
  return folder;
}

/** The posterior with the eigenvectors that were asked for. */
function truncated(folder: string, choice: readonly string[]): string {
  const output = join(keptFolder(), 'predict-truncated');
  const data = findDataset('mnist') ? 'mnist?split=test&limit=256' : 'digits?split=test';
  sublace('truncate', '--posterior', folder, '--data', data, ...choice, '--out', output, '--overwrite');
  return output;
}

function keptFolder(): string {
  const folder = benchFolder('posteriors');
  mkdirSync(folder, { recursive: true });
  return folder;
}
