import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { SublaceError } from '@sublace/errors';
import type { Network } from '@sublace/network';
import { DOUBLE, FLOAT32_SOLVE } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { familyOf, JOINT_OUTPUTS, openPosterior, type FittedModel, type PredictedOutput, type PredictRequest } from '../index.ts';
import { fitInProcess } from '../testdata/fit-in-process.ts';
import { answersProblem, pairProblem, tableProblem, temporaryFolder, type SmallProblem } from '../testdata/small-problems.ts';

const folder = temporaryFolder();
const PROBLEMS: Readonly<Record<string, (place: string) => Promise<SmallProblem>>> = {
  classification: tableProblem,
  binary: (place) => answersProblem(place, 2),
  regression: pairProblem,
  heteroscedastic: (place) => pairProblem(place, { likelihood: 'heteroscedastic' }),
};
const models = new Map<string, FittedModel>();

beforeAll(async () => {
  await startBackend({ threads: 1 });
  for (const [kind, problem] of Object.entries(PROBLEMS)) {
    const run = await fitInProcess({
      ...(await problem(join(folder, kind))),
      subnetwork: 'names:*',
      priorPrecision: 2,
      output: join(folder, `${kind} fit`),
    });
    models.set(kind, await openPosterior(run.folder));
  }
});

afterAll(() => {
  for (const fitted of models.values()) fitted.dispose();
});

afterEach(() => {
  vi.restoreAllMocks();
});

function modelOf(kind: string): FittedModel {
  return models.get(kind) as FittedModel;
}

/** Inputs that no two requests share. */
function inputsOf({ inputShape }: FittedModel, count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count * inputShape[0] }, (_, i) => 4 + Math.sin(seed + 1.7 * i));
}

function answerOf(fitted: FittedModel, requests: readonly PredictRequest[], i: number): PredictedOutput[] {
  const answer = fitted.predictMany(requests)[i];
  if (answer instanceof SublaceError) throw answer;
  return answer;
}

describe.each(Object.keys(PROBLEMS))('several requests, %s', (kind) => {
  it('are answered as each of them alone, whatever the others ask for', () => {
    const fitted = modelOf(kind);
    const { outputNames, links } = familyOf(fitted.manifest.likelihood);
    const requests: PredictRequest[] = [
      { inputs: inputsOf(fitted, 2, 1), count: 2 },
      { inputs: inputsOf(fitted, 3, 2), count: 3, options: { outputs: [...JOINT_OUTPUTS, ...outputNames], samples: 7, seed: 3 } },
      { inputs: inputsOf(fitted, 1, 3), count: 1, options: { outputs: ['samples'], samples: 7, seed: 3 } },
      { inputs: inputsOf(fitted, 2, 4), count: 2, options: { outputs: [...outputNames].slice(0, 1) } },
      ...links.map((link) => ({ inputs: inputsOf(fitted, 2, 5), count: 2, options: { link, samples: 40, seed: 8, temperature: 2 } })),
    ];
    const before = tf.memory().numTensors;
    const together = fitted.predictMany(requests);
    expect(tf.memory().numTensors).toBe(before);
    expect(together).toHaveLength(requests.length);
    for (const [i, request] of requests.entries()) {
      const alone = fitted.predict(request.inputs, request.count, request.options);
      const outputs = together[i] as PredictedOutput[];
      expect(outputs.map(({ name, shape }) => [name, ...shape])).toEqual(alone.map(({ name, shape }) => [name, ...shape]));
      for (const [k, { name, data }] of outputs.entries()) expect(data, `${i} ${name}`).toBeAllclose(alone[k].data, FLOAT32_SOLVE);
    }
  });

  it('have in every output by itself what it is among all of them', () => {
    // Each alone is computed from the moments that it is said to need, and no others.
    const fitted = modelOf(kind);
    const { outputNames } = familyOf(fitted.manifest.likelihood);
    const inputs = inputsOf(fitted, 3, 6);
    const all = fitted.predict(inputs, 3, { outputs: outputNames, samples: 30 });
    for (const [i, name] of outputNames.entries()) {
      const [alone] = fitted.predict(inputs, 3, { outputs: [name], samples: 30 });
      expect(alone.data.every(Number.isFinite), name).toBe(true);
      expect(alone.data, name).toBeAllclose(all[i].data, FLOAT32_SOLVE);
    }
  });
});

describe('predictMany', () => {
  it('does not let a bad request spoil the others', () => {
    const fitted = modelOf('classification');
    const good = { inputs: inputsOf(fitted, 1, 1), count: 1 };
    const bad: PredictRequest[] = [
      { inputs: new Float32Array(3), count: 1 },
      { ...good, options: { outputs: ['mean'] } },
      { ...good, options: { temperature: 0 } },
      { ...good, options: { outputs: ['samples'], samples: 0.5 } },
      { inputs: new Float32Array(1366 * 4), count: 1366, options: { outputs: ['joint_covariance'] } },
    ];
    const answers = fitted.predictMany([...bad, good]);
    expect(answers.slice(0, -1).map((answer) => (answer as SublaceError).message)).toEqual([
      'predict: expected 1 inputs of [4], got 3 values',
      expect.stringContaining("got 'mean'"),
      'temperature: expected a positive number, got 0',
      'draws: expected a positive integer, got 0.5',
      'joint_covariance: expected at most 1365 inputs of 3 outputs, got 1366',
    ]);
    expect(answers.at(-1)).toEqual(fitted.predict(good.inputs, 1));
    expect(fitted.predictMany([])).toEqual([]);
    expect(fitted.predictMany(bad.slice(0, 1))[0]).toBeInstanceOf(SublaceError);
    const regression = modelOf('regression');
    expect(() => regression.predict(inputsOf(regression, 1, 1), 1, { temperature: 2 })).toThrow(
      'temperature: expected none for regression',
    );
  });

  it('makes no Jacobian and no solve where means are enough, and no covariance where variances are', () => {
    const fitted = modelOf('classification');
    const inputs = inputsOf(fitted, 2, 1);
    const backward = vi.spyOn(fitted.network as Network, 'backpropagate');
    const solve = vi.spyOn(fitted.posterior, 'solve');
    fitted.predict(inputs, 2, { outputs: ['map_probabilities', 'logits'] });
    expect([backward.mock.calls.length, solve.mock.calls.length]).toEqual([0, 0]);
    fitted.predict(inputs, 2, { outputs: ['samples'] });
    expect([backward.mock.calls.length, solve.mock.calls.length]).toEqual([1, 0]);
    fitted.predictMany([
      { inputs, count: 2 },
      { inputs, count: 2, options: { link: 'bridge' } },
      { inputs, count: 2, options: { outputs: ['logits'] } },
    ]);
    expect([backward.mock.calls.length, solve.mock.calls.length]).toEqual([2, 1]);
    const mean = modelOf('regression');
    const none = vi.spyOn(mean.network as Network, 'backpropagate');
    mean.predict(inputsOf(mean, 2, 1), 2, { outputs: ['mean', 'noise_variance'] });
    expect(none).not.toHaveBeenCalled();
  });

  it('divides the logits by the temperature before they become probabilities', () => {
    const fitted = modelOf('classification');
    const inputs = inputsOf(fitted, 2, 1);
    const outputs = ['probabilities', 'map_probabilities', 'logits', 'logit_variance'];
    const [plain, hot] = [1, 3].map((temperature) => fitted.predict(inputs, 2, { outputs, temperature }).map(({ data }) => [...data]));
    expect(hot.slice(2)).toEqual(plain.slice(2));
    const softmaxOf = (f: readonly number[]): number[] => {
      const weights = f.map(Math.exp);
      return weights.map((weight) => weight / weights.reduce((a, b) => a + b));
    };
    for (const n of [0, 1]) {
      const [f, v] = [plain[2], plain[3]].map((values) => values.slice(n * 3, n * 3 + 3));
      const probit = softmaxOf(f.map((value, c) => value / 3 / Math.sqrt(1 + (Math.PI / 8) * (v[c] / 9))));
      expect(hot[0].slice(n * 3, n * 3 + 3)).toBeAllclose(probit, DOUBLE);
      expect(hot[1].slice(n * 3, n * 3 + 3)).toBeAllclose(softmaxOf(f.map((value) => value / 3)), DOUBLE);
    }
    const [covariance, variance] = fitted.predict(inputs, 2, { outputs: ['logit_covariance', 'logit_variance'], temperature: 3 });
    expect(covariance.shape).toEqual([2, 3, 3]);
    expect(Array.from({ length: 6 }, (_, i) => covariance.data[3 * i + (i % 3)])).toBeAllclose(variance.data, DOUBLE);
  });

  it('draws by position within the request', () => {
    const fitted = modelOf('classification');
    const one = inputsOf(fitted, 1, 1);
    const twice = Float32Array.from([...one, ...one]);
    const options = { outputs: ['mutual_information', 'probabilities'], link: 'monte-carlo', samples: 20, seed: 4 } as const;
    const [information] = answerOf(fitted, [{ inputs: twice, count: 2, options }], 0);
    expect(information.data[0]).not.toBe(information.data[1]);
    const [later] = answerOf(fitted, [{ inputs: twice, count: 2 }, { inputs: one, count: 1, options }], 1); // prettier-ignore
    expect(later.data).toBeAllclose(information.data.subarray(0, 1), FLOAT32_SOLVE);
  });
});
