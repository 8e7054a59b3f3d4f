import { startBackend } from '@sublace/backend';
import { elementwiseLayer, NAIVE_ACTIVATIONS, randomPReLU, softmaxLayer, testRandom } from '@sublace/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectAgreement } from '../testdata/twin.ts';
import { ACTIVATIONS } from './activations.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const RUNS = { numRuns: 30 };

/** Enough numbers for every branch. */
const SHAPE = [10, 20];

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });
const selections = shapes.chain((shape) => fc.tuple(fc.constant(shape), fc.subarray([...shape.keys()])));

describe('activations', () => {
  it('all have a twin', () => {
    expect(Object.keys(NAIVE_ACTIVATIONS).sort()).toEqual(Object.keys(ACTIVATIONS).sort());
  });

  it.each(Object.entries(NAIVE_ACTIVATIONS))('%s agrees with its definition', (activation, value) => {
    expectAgreement(testRandom(2), elementwiseLayer('Activation', { activation }, value), SHAPE);
  });

  it.each<[string, Record<string, unknown>, (x: number) => number]>([
    ['ReLU', {}, (x) => Math.max(x, 0)],
    ['ReLU', { max_value: 0.7 }, (x) => Math.min(Math.max(x, 0), 0.7)],
    ['ReLU', { max_value: 1, negative_slope: 0.2, threshold: 0.3 }, (x) => (x >= 1 ? 1 : x >= 0.3 ? x : 0.2 * (x - 0.3))],
    ['LeakyReLU', {}, (x) => (x > 0 ? x : 0.3 * x)],
    ['LeakyReLU', { alpha: 0.1 }, (x) => (x > 0 ? x : 0.1 * x)],
    ['LeakyReLU', { negative_slope: 0.1 }, (x) => (x > 0 ? x : 0.1 * x)],
    ['ThresholdedReLU', { theta: 0.5 }, (x) => (x > 0.5 ? x : 0)],
    ['ELU', { alpha: 0.5 }, (x) => (x > 0 ? x : 0.5 * (Math.exp(x) - 1))],
    ['Rescaling', { scale: 0.5, offset: -1 }, (x) => 0.5 * x - 1],
  ])('%s with %j agrees with its definition', (className, options, value) => {
    expectAgreement(testRandom(3), elementwiseLayer(className, options, value), SHAPE);
  });
});

describe('PReLU', () => {
  it('agrees with its twin, with slopes shared over any axes', () => {
    fc.assert(
      fc.property(fc.nat(), selections, (seed, [shape, shared]) => {
        const random = testRandom(seed);
        expectAgreement(random, randomPReLU(random, 'slopes', shape, shared), shape);
      }),
      RUNS,
    );
  });
});

describe('softmax', () => {
  it('agrees with its twin over any axes', () => {
    fc.assert(
      fc.property(fc.nat(), selections, (seed, [shape, axes]) => {
        // Over one number softmax is 1, and its derivative only rounding.
        fc.pre(axes.reduce((count, axis) => count * shape[axis], 1) > 1);
        expectAgreement(testRandom(seed), softmaxLayer(shape, axes, 'Softmax'), shape);
      }),
      RUNS,
    );
  });

  it('agrees with its twin as a logarithm', () => {
    fc.assert(
      fc.property(fc.nat(), shapes, (seed, shape) => {
        expectAgreement(testRandom(seed), softmaxLayer(shape, [shape.length - 1], 'Activation'), shape);
      }),
      RUNS,
    );
  });
});
