import { startBackend } from '@sublace/backend';
import {
  randomConvolution,
  randomDepthwise,
  randomSeparable,
  randomTransposedConvolution,
  testRandom,
  type ConvolutionGeometry,
} from '@sublace/testing';
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

/** The same for sequences: images of height one. */
const sequenceGeometries = geometries.map(({ geometry, random }) => ({
  geometry: {
    ...geometry,
    inputShape: [1, geometry.inputShape[1], geometry.inputShape[2]] as const,
    kernelSize: [1, geometry.kernelSize[1]] as const,
    strides: [1, geometry.strides[1]] as const,
    dilations: [1, geometry.dilations[1]] as const,
  },
  random,
}));

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

describe('Conv1D', () => {
  it('agrees with its twin at any stride, padding, dilation and number of groups, also where it sees only the past', () => {
    fc.assert(
      fc.property(sequenceGeometries, fc.boolean(), ({ geometry, random }, isCausal) => {
        const options = isCausal ? { ...geometry, padding: 'causal' as const } : geometry;
        expectAgreement(random, randomConvolution(random, 'conv', 1, options), geometry.inputShape.slice(1));
      }),
      RUNS,
    );
  });
});

describe('DepthwiseConv', () => {
  it('agrees with its twin on images at any stride, padding and multiplier', () => {
    fc.assert(
      fc.property(geometries, ({ geometry, random }) => {
        const options = { ...geometry, dilations: [1, 1] as const };
        expectAgreement(random, randomDepthwise(random, 'depthwise', 2, options), geometry.inputShape);
      }),
      RUNS,
    );
  });

  it('agrees with its twin on sequences, also with dilation', () => {
    fc.assert(
      fc.property(sequenceGeometries, ({ geometry, random }) => {
        expectAgreement(random, randomDepthwise(random, 'depthwise', 1, geometry), geometry.inputShape.slice(1));
      }),
      RUNS,
    );
  });
});

describe('SeparableConv', () => {
  it('agrees with its twin on images and on sequences', () => {
    const multipliers = fc.integer({ min: 1, max: 2 });
    fc.assert(
      fc.property(geometries, sequenceGeometries, multipliers, (image, sequence, multiplier) => {
        const { random } = image;
        expectAgreement(random, randomSeparable(random, 'separable', 2, image.geometry, multiplier), image.geometry.inputShape);
        const { geometry } = sequence;
        expectAgreement(random, randomSeparable(random, 'separable', 1, geometry, multiplier), geometry.inputShape.slice(1));
      }),
      { numRuns: 25 },
    );
  });
});

describe('Conv2DTranspose', () => {
  it('agrees with its twin at any stride and padding', () => {
    fc.assert(
      fc.property(geometries, ({ geometry: { padding, ...geometry }, random }) => {
        const options = { ...geometry, padding: padding === 'same' ? ('same' as const) : ('valid' as const) };
        expectAgreement(random, randomTransposedConvolution(random, 'up', options), geometry.inputShape);
      }),
      RUNS,
    );
  });
});
