import { startBackend } from '@sublace/backend';
import { bernoulli, categorical, gaussian, heteroscedastic, type Likelihood } from '@sublace/likelihoods';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TrainingTargets } from './examples.ts';
import type { Noise } from './noise.ts';
import { meanNegativeLogLikelihood } from './objective.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** Three examples of four outputs. */
const OUTPUTS = [0.3, -1.2, 2, 0.1, 30, -0.5, 0, 1, -40, 2, -0.4, 0.7];

const values = (width: number): TrainingTargets => {
  return { kind: 'values', values: Float32Array.from({ length: 3 * width }, (_, i) => Math.sin(i)), width };
};

const logVariances = (values: number[]): Noise => ({ kind: 'learned', logVariances: tf.variable(tf.tensor1d(values)) });

/** What is compared, by name: targets, noise, the likelihood, and what the objective leaves out per example. */
const CASES: readonly [string, TrainingTargets, () => Noise, Likelihood, number][] = [
  ['labels', { kind: 'labels', labels: Int32Array.of(2, 0, 0), classCount: 4 }, () => ({ kind: 'unit' }), categorical, 0],
  [
    'flags',
    { kind: 'flags', values: Float32Array.of(0, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 0), width: 4 },
    () => ({ kind: 'unit' }),
    bernoulli,
    0,
  ],
  ['values of unit noise', values(4), () => ({ kind: 'unit' }), gaussian(1), 2 * Math.log(2 * Math.PI)],
  ['values of one learned noise', values(4), () => logVariances([0.6]), gaussian(Math.exp(0.6)), 2 * Math.log(2 * Math.PI)],
  [
    'values of a learned noise each',
    values(4),
    () => logVariances([0.6, 0, -1, 0.2]),
    gaussian([0.6, 0, -1, 0.2].map(Math.exp)),
    2 * Math.log(2 * Math.PI),
  ],
  ['values of predicted noise', values(2), () => ({ kind: 'predicted' }), heteroscedastic, Math.log(2 * Math.PI)],
];

describe.each(CASES)('objective for %s', (_, targets, makeNoise, likelihood, constant) => {
  const plain = targets.kind === 'labels' ? targets.labels : targets.values;

  it('is the mean negative log likelihood, without its constant', () => {
    const noise = makeNoise();
    const outputs = tf.tensor2d(OUTPUTS, [3, 4]);
    const before = tf.memory().numTensors;
    const [loss] = tf.tidy(() => meanNegativeLogLikelihood(outputs, targets, noise).dataSync());
    expect(tf.memory().numTensors).toBe(before);
    const expected = -likelihood.logLikelihood(Float32Array.from(OUTPUTS), plain, 4) / 3 - constant;
    expect(loss / expected).toBeCloseTo(1, 5);
  });

  it('has the gradient of the log likelihood', () => {
    const noise = makeNoise();
    const gradient = tf.tidy(() =>
      tf
        .grad((f) => meanNegativeLogLikelihood(f as tf.Tensor2D, targets, noise))(tf.tensor2d(OUTPUTS, [3, 4]))
        .dataSync(),
    );
    const expected = likelihood.gradients(Float32Array.from(OUTPUTS), plain, 4).map((value) => -value / 3);
    const scale = Math.max(...expected.map(Math.abs));
    for (const [i, value] of gradient.entries()) expect(Math.abs(value - expected[i])).toBeLessThan(1e-6 * scale);
  });
});
