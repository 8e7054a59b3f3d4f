import { startBackend } from '@sublace/backend';
import { randomBatchNormalization, randomLayerNormalization, testRandom } from '@sublace/testing';
import fc from 'fast-check';
import { beforeAll, describe, it } from 'vitest';
import { expectAgreement } from '../testdata/twin.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });
const parts = fc.record({ hasScale: fc.boolean(), hasShift: fc.boolean() });

describe('LayerNormalization', () => {
  it('agrees with its twin over any axes, with and without scale and shift', () => {
    const selections = shapes.chain((shape) => fc.tuple(fc.constant(shape), fc.subarray([...shape.keys()], { minLength: 1 })));
    fc.assert(
      fc.property(fc.nat(), selections, parts, (seed, [shape, axes], weights) => {
        // Two numbers are always normalised to -1 and 1: their signal cancels, and float32 shows only its rounding.
        fc.pre(axes.reduce((count, axis) => count * shape[axis], 1) !== 2);
        const random = testRandom(seed);
        expectAgreement(random, randomLayerNormalization(random, 'norm', shape, axes, weights), shape);
      }),
      { numRuns: 40 },
    );
  });
});

describe('BatchNormalization', () => {
  it('agrees with its twin on inputs of any rank, with and without scale and shift', () => {
    fc.assert(
      fc.property(fc.nat(), shapes, parts, (seed, shape, weights) => {
        const random = testRandom(seed);
        expectAgreement(random, randomBatchNormalization(random, 'norm', shape[shape.length - 1], weights), shape);
      }),
      { numRuns: 20 },
    );
  });
});
