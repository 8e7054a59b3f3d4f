import { startBackend } from '@sublace/backend';
import { randomConvolution, testRandom, type ConvolutionGeometry } from '@sublace/testing';
import fc from 'fast-check';
import { beforeAll, describe, it } from 'vitest';
import { expectAgreement } from '../testdata/twin.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const RUNS = { numRuns: 40 };

/** Strides or dilations, never both, as in Keras. */
const steps = fc
  .tuple(fc.boolean(), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }))
  .map(([isStrided, y, x]): Pick<ConvolutionGeometry, 'strides' | 'dilations'> =>
    isStrided ? { strides: [y, x], dilations: [1, 1] } : { strides: [1, 1], dilations: [y, x] },
  );

/** Any geometry whose window fits into its input. */
const geometries = fc
  .record({
    seed: fc.nat(),
    kernelSize: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    room: fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 4 })),
    steps,
    padding: fc.constantFrom('same' as const, 'valid' as const),
    groups: fc.integer({ min: 1, max: 3 }),
    channelsPerGroup: fc.integer({ min: 1, max: 2 }),
    filtersPerGroup: fc.integer({ min: 1, max: 2 }),
    hasBias: fc.boolean(),
  })
  .map(({ seed, kernelSize, room, steps: { strides, dilations }, groups, channelsPerGroup, filtersPerGroup, ...rest }) => {
    const extents = [0, 1].map((axis) => (kernelSize[axis] - 1) * dilations[axis] + 1 + room[axis]);
    const geometry: ConvolutionGeometry = {
      inputShape: [extents[0], extents[1], groups * channelsPerGroup],
      filters: groups * filtersPerGroup,
      ...{ kernelSize, strides, dilations, groups },
      ...rest,
    };
    return { geometry, random: testRandom(seed) };
  });

describe('Conv2D', () => {
  it('agrees with its twin at any stride, padding, dilation and number of groups', () => {
    fc.assert(
      fc.property(geometries, ({ geometry, random }) => {
        expectAgreement(random, randomConvolution(random, 'conv', 2, geometry), geometry.inputShape);
      }),
      RUNS,
    );
  });
});
