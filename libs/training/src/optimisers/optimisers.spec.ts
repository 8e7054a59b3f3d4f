import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '@sublace/backend';
import { Adam } from './adam.ts';
import type { Optimiser } from './optimiser.ts';
import { SgdMomentum } from './sgd-momentum.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** Adam for one weight, as algorithm 1 of the paper is written. */
function plainAdam(): (g: number, rate: number) => number {
  let [m, v, t] = [0, 0, 0];
  return (g, rate) => {
    t += 1;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    return (rate * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
  };
}

/** Heavy ball for one weight. */
function plainMomentum(): (g: number, rate: number) => number {
  let v = 0;
  return (g, rate) => {
    v = 0.8 * v + g;
    return rate * v;
  };
}

describe.each([
  ['Adam', () => new Adam(4), plainAdam],
  ['SgdMomentum', () => new SgdMomentum(4, 0.8), plainMomentum],
])('%s', (_, make: () => Optimiser, plain: () => (g: number, rate: number) => number) => {
  it('moves each weight as the rule for one weight in float64 does, and keeps only its state', () => {
    const before = tf.memory().numTensors;
    const optimiser = make();
    const stateCount = tf.memory().numTensors - before;
    const twins = Array.from({ length: 4 }, plain);
    for (let step = 0; step < 20; step++) {
      const gradients = [Math.sin(step), 1e-3, -100 / (step + 1), 0];
      const rate = 0.1 / (step + 1);
      const gradient = tf.tensor1d(gradients);
      const update = optimiser.update(gradient, rate);
      for (const [index, value] of update.dataSync().entries()) {
        const expected = twins[index](gradients[index], rate);
        expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-5 * Math.abs(expected));
      }
      tf.dispose([gradient, update]);
      expect(tf.memory().numTensors).toBe(before + stateCount);
    }
    optimiser.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
