import { startBackend } from '@sublace/backend';
import { randomSequenceDense, testRandom } from '@sublace/testing';
import fc from 'fast-check';
import { beforeAll, describe, it } from 'vitest';
import { expectAgreement } from '../testdata/twin.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const extent = fc.integer({ min: 1, max: 5 });

describe('Dense', () => {
  it('agrees with its twin on vectors and on sequences of any rank', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(extent, { maxLength: 3 }), extent, extent, (seed, positions, inputs, outputs) => {
        const random = testRandom(seed);
        const count = positions.reduce((product, size) => product * size, 1);
        expectAgreement(random, randomSequenceDense(random, 'dense', count, inputs, outputs), [...positions, inputs]);
      }),
      { numRuns: 20 },
    );
  });
});
