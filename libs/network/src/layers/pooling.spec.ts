import { startBackend } from '@sublace/backend';
import { poolingLayer, testRandom, type SlidingGeometry } from '@sublace/testing';
import fc from 'fast-check';
import { beforeAll, describe, it } from 'vitest';
import { expectAgreement } from '../testdata/twin.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const extent = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

/** Any window that fits into its image, with strides shorter and longer than it. */
const geometries = fc
  .record({
    kernelSize: fc.tuple(extent(3), extent(3)),
    room: fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 4 })),
    strides: fc.tuple(extent(4), extent(4)),
    padding: fc.constantFrom('same' as const, 'valid' as const),
    channels: extent(3),
  })
  .map(({ kernelSize, room, channels, ...rest }): SlidingGeometry => {
    const [height, width] = [kernelSize[0] + room[0], kernelSize[1] + room[1]];
    return { inputShape: [height, width, channels], kernelSize, dilations: [1, 1], ...rest };
  });

/** The same on a sequence, an image of height one. */
function onSequence({ inputShape, kernelSize, strides, ...rest }: SlidingGeometry): SlidingGeometry {
  return { ...rest, inputShape: [1, inputShape[1], inputShape[2]], kernelSize: [1, kernelSize[1]], strides: [1, strides[1]] };
}

describe.each(['Max', 'Average'] as const)('%sPooling', (kind) => {
  it('agrees with its twin on images and on sequences, at any window, stride and padding', () => {
    fc.assert(
      fc.property(fc.nat(), geometries, (seed, geometry) => {
        const random = testRandom(seed);
        expectAgreement(random, poolingLayer(kind, 2, geometry), geometry.inputShape);
        const sequence = onSequence(geometry);
        expectAgreement(random, poolingLayer(kind, 1, sequence), sequence.inputShape.slice(1));
      }),
      { numRuns: 40 },
    );
  });

  it('agrees with its twin over all positions, whether their axes stay or not', () => {
    fc.assert(
      fc.property(fc.nat(), geometries, fc.boolean(), (seed, geometry, keepsAxes) => {
        const random = testRandom(seed);
        const everywhere = (one: SlidingGeometry): SlidingGeometry => {
          const [height, width] = one.inputShape;
          return { ...one, kernelSize: [height, width], strides: [1, 1], padding: 'valid' };
        };
        const options = { keepdims: keepsAxes };
        const image = everywhere(geometry);
        expectAgreement(random, poolingLayer(kind, 2, image, { className: `Global${kind}Pooling2D`, options }), image.inputShape);
        const sequence = everywhere(onSequence(geometry));
        const twin = poolingLayer(kind, 1, sequence, { className: `Global${kind}Pooling1D`, options });
        expectAgreement(random, twin, sequence.inputShape.slice(1));
      }),
      { numRuns: 20 },
    );
  });
});
