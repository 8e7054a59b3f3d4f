import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FitPlan, FitSpecInput } from '../index.ts';
import { fitInProcess, fitJob } from '../testdata/fit-in-process.ts';
import { curveProblem, tableProblem, temporaryFolder, writeTable, type SmallProblem } from '../testdata/small-problems.ts';

const folder = temporaryFolder();
let table: SmallProblem;
let curve: SmallProblem;
let fileCount = 0;

beforeAll(async () => {
  await startBackend({ threads: 1 });
  table = await tableProblem(join(folder, 'table'));
  curve = await curveProblem(join(folder, 'curve'));
});

/** The table with another first value in one row. */
function tableWith(row: number, value: string): string {
  const file = writeTable(join(folder, `table-${++fileCount}.csv`));
  const lines = readFileSync(file, 'utf8').split('\n');
  lines[row + 1] = [value, ...lines[row + 1].split(',').slice(1)].join(',');
  writeFileSync(file, lines.join('\n'));
  return file;
}

/** The table's model with a first weight of 1e8: an input of 3e38 then leaves float32 in the first layer. */
function steepModel(): string {
  const model = join(folder, `steep-${++fileCount}`);
  cpSync(table.model, model, { recursive: true });
  const weights = readFileSync(join(model, 'weights.bin'));
  weights.writeFloatLE(1e8, 0);
  writeFileSync(join(model, 'weights.bin'), weights);
  return model;
}

/** The error of a fit; nothing is written. */
async function failure(input: Partial<FitSpecInput> & SmallProblem): Promise<{ code: string; message: string; exitCode: number }> {
  const output = join(folder, `never-${++fileCount}`);
  const run = fitInProcess({ subnetwork: 'gradient-energy:8', priorPrecision: 1, output, ...input });
  const error = (await run.then(() => undefined, (thrown: unknown) => thrown)) as { code: string; message: string; exitCode: number }; // prettier-ignore
  expect(existsSync(join(output, 'manifest.json'))).toBe(false);
  return error;
}

describe('an example whose numbers are not finite', () => {
  it('in the forward pass is named with the layer', async () => {
    const input = { model: steepModel(), data: tableWith(57, '3e38'), shardSize: 20 };
    const { code, message, exitCode } = await failure(input);
    expect([code, exitCode]).toEqual(['NUMERICAL_FAILURE', 42]);
    expect(message).toMatch(/^example 57, layer dense1: expected a finite output, got (-?Infinity|NaN); check the scale of the inputs/);
    // The last job's model stays open; nothing else does.
    const before = tf.memory().numTensors;
    await failure(input);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('in the backward pass is named with layer and weight', async () => {
    const { code, message } = await failure({ ...table, data: tableWith(31, '1e25') });
    expect(code).toBe('NUMERICAL_FAILURE');
    expect(message).toMatch(/^example 31, layer output\/kernel: expected a Jacobian with finite squares, got (Infinity|NaN); check/);
  });

  it('is named by its row in the data, wherever the held-out rows are', async () => {
    const { message } = await failure({ ...table, data: tableWith(31, '1e25'), validation: { fraction: 0.3, seed: 4 } });
    expect(message).toMatch(/^example 31, layer output\/kernel/);
  });

  it('among the held-out ones spoils the choice of the prior, and is named too', async () => {
    const heldOut = { data: tableWith(7, '3e38') };
    const { code, message } = await failure({ ...table, model: steepModel(), validation: heldOut, priorPrecision: 'validation' });
    expect(code).toBe('NUMERICAL_FAILURE');
    expect(message).toMatch(/^validation example 7, layer dense1: expected a finite output, got/);
  });

  it('is found when the accumulate task meets it first', async () => {
    const input = { model: steepModel(), data: tableWith(12, '3e38'), subnetwork: 'gradient-energy:3', priorPrecision: 1, output: folder };
    const { run } = fitJob(input);
    const plan = (await run({ phase: 'plan' })).summary as unknown as FitPlan;
    const inputs = [{ name: 'indices/0', shape: [3], data: Int32Array.of(0, 1, 20) }];
    await expect(run({ phase: 'accumulate', plan, inputs })).rejects.toMatchObject({
      code: 'NUMERICAL_FAILURE',
      message: expect.stringMatching(/^example 12, layer dense1: expected a finite output/),
    });
  });
});

describe('sums that are not finite although every example is', () => {
  it('are told apart from a bad example', async () => {
    const { code, message } = await failure({ ...curve, subnetwork: 'names:*', noiseVariance: 1e-37 });
    expect(code).toBe('NUMERICAL_FAILURE');
    expect(message).toMatch(
      /^GGN diagonal of examples 0 to \d+ of the training part: expected finite values, got a sum beyond float32, though each example is finite alone; check the scale/,
    );
  });
});

describe('a log likelihood that leaves float32', () => {
  it('is laid at the door of the least likely example', async () => {
    const data = join(folder, 'far.csv');
    const lines = Array.from({ length: 30 }, (_, i) => `${i / 10},${i === 17 ? '1e30' : Math.sin(i)}`);
    writeFileSync(data, ['x,y', ...lines].join('\n'));
    const { code, message } = await failure({ ...curve, data, likelihood: 'regression', validation: 'none', subnetwork: 'random:3' });
    expect(code).toBe('NUMERICAL_FAILURE');
    expect(message).toMatch(
      /^example 17: expected a log likelihood within float32, got -\d\.\d+e\+\d+; check its target, and the noise variance$/,
    );
  });
});
