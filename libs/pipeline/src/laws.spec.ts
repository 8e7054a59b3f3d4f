import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { loadDataset, normaliseInputs } from '@sublace/data';
import {
  categoricalHessian,
  diagonalMatrix,
  flat,
  FLOAT32_OP,
  FLOAT32_SOLVE,
  inverse,
  sum,
  testRandom,
  type Matrix,
} from '@sublace/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openPosterior } from './index.ts';
import { fitInProcess, type FitRun } from './testdata/fit-in-process.ts';
import { linearise, tableProblem, temporaryFolder, twinOf, type SmallProblem } from './testdata/small-problems.ts';

/** Laws of whole fits: what full Laplace, last-layer Laplace and the MAP say must come out of files and phases too. */

const folder = temporaryFolder();
let problem: SmallProblem;
let count = 0;

beforeAll(async () => {
  await startBackend({ threads: 1 });
  problem = await tableProblem(folder);
});

async function fit(extra: object = {}): Promise<FitRun> {
  const plain = { subnetwork: 'random:9', keepDead: true, validation: 'none', priorPrecision: 1, rowTolerance: 0 } as const;
  return fitInProcess({ ...problem, ...plain, output: join(folder, `posterior-${++count}`), ...extra });
}

/** Covariances of the logits of the first inputs, [N, C, C], and their probabilities by link and by the MAP. */
async function predictions(run: FitRun): Promise<{ covariance: Float64Array; probabilities: Float64Array; map: Float64Array }> {
  const fitted = await openPosterior(run.folder);
  const { inputs } = await loadDataset(problem.data, { likelihood: 'classification' });
  const some = inputs.slice(0, 10 * 4);
  const covariance = fitted.outputs(some, 10, true).covariance ?? new Float64Array();
  const [probabilities, map] = fitted.predict(some, 10, { outputs: ['probabilities', 'map_probabilities'] }).map(({ data }) => data);
  fitted.dispose();
  return { covariance, probabilities, map };
}

describe('the last layer', () => {
  it('with its biases is last-layer Laplace in closed form: the GGN is the sum of Kronecker products of features and output Hessians', async () => {
    const prior = 0.7;
    const run = await fit({ subnetwork: 'last-layer', candidates: 'all', priorPrecision: prior });
    const fitted = await openPosterior(run.folder);
    const { inputs } = await loadDataset(problem.data, { likelihood: 'classification' });
    const twin = twinOf(fitted.network);
    const normalised = normaliseInputs(inputs, fitted.manifest.normalisation);
    const { outputs } = linearise(twin, normalised);
    const features = outputs.map((_, n) => [...hidden(fitted.network, normalised.slice(n * 4, (n + 1) * 4)), 1]);

    // Weights in the file's order: kernel [features, classes] row-major, then biases: feature i of class c at i C + c.
    const classes = 3;
    const size = 5 * classes;
    const ggn: Matrix = Array.from({ length: size }, () => new Array<number>(size).fill(0));
    for (const [n, phi] of features.entries()) {
      const hessian = categoricalHessian(outputs[n]);
      for (let a = 0; a < size; a++) {
        for (let b = 0; b < size; b++) {
          ggn[a][b] += phi[Math.floor(a / classes)] * phi[Math.floor(b / classes)] * hessian[a % classes][b % classes];
        }
      }
    }
    const covariance = inverse(sum(ggn, diagonalMatrix(ggn.map(() => prior))));
    expect(run.indices).toHaveLength(size);
    expect(run.ggn).toBeAllclose(flat(ggn), FLOAT32_OP);
    expect(fitted.posterior.covariance()).toBeAllclose(flat(covariance), FLOAT32_SOLVE);
    const expected = features.slice(0, 10).flatMap((phi) =>
      Array.from({ length: classes ** 2 }, (_, k) => {
        const [c, d] = [Math.floor(k / classes), k % classes];
        return phi.reduce(
          (total, x, i) => total + phi.reduce((inner, y, j) => inner + x * y * covariance[i * classes + c][j * classes + d], 0),
          0,
        );
      }),
    );
    fitted.dispose();
    expect((await predictions(run)).covariance).toBeAllclose(expected, FLOAT32_SOLVE);
  });
});

describe('a strong prior', () => {
  it('leaves the MAP alone', async () => {
    const { covariance, probabilities, map } = await predictions(await fit({ priorPrecision: 1e9 }));
    expect(Math.max(...covariance)).toBeLessThan(1e-6);
    expect(probabilities).toBeAllclose(map);
    const { probabilities: weak } = await predictions(await fit({ priorPrecision: 1e-2 }));
    expect(Math.max(...weak.map((value, i) => Math.abs(value - map[i])))).toBeGreaterThan(0.01);
  });
});

describe('prior and temperature', () => {
  it('scale: temperature T under a prior A predicts with T times the covariance of temperature 1 under T A', async () => {
    for (const factor of [0.25, 3]) {
      const [warm, strong] = [await fit({ temperature: factor, priorPrecision: 2 }), await fit({ priorPrecision: 2 * factor })];
      const scaled = (await predictions(strong)).covariance.map((value) => value * factor);
      expect((await predictions(warm)).covariance).toBeAllclose(scaled, FLOAT32_OP);
    }
  });
});

describe('the order of the data', () => {
  it('and the size of the shards change nothing beyond rounding', async () => {
    const whole = await fit();
    const expected = await predictions(whole);
    const [header, ...rows] = readFileSync(problem.data, 'utf8').trim().split('\n');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 90 }), async (seed, shardSize) => {
        const random = testRandom(seed);
        const keys = rows.map((row) => ({ row, key: random.uniform() }));
        const data = join(folder, `shuffled-${++count}.csv`);
        writeFileSync(data, [header, ...keys.sort((a, b) => a.key - b.key).map(({ row }) => row)].join('\n'));
        const run = await fit({ data, shardSize });
        expect(run.ggn).toBeAllclose(whole.ggn, FLOAT32_OP);
        expect(run.selection.logLikelihood / whole.selection.logLikelihood).toBeCloseTo(1, 6);
        expect((await predictions(run)).covariance).toBeAllclose(expected.covariance, FLOAT32_OP);
      }),
      { numRuns: 5, seed: 1 },
    );
  });
});

/** Activations of the hidden layer of the table's model: relu(x W + b) in doubles. */
function hidden({ layers }: Parameters<typeof twinOf>[0], x: Float32Array): number[] {
  const [kernel, bias] = layers.flatMap((layer) => layer.weights).slice(0, 2).map(({ value }) => value.dataSync()); // prettier-ignore
  return Array.from(bias, (b, j) => Math.max(0, b + x.reduce((total, value, i) => total + value * kernel[i * 4 + j], 0)));
}
