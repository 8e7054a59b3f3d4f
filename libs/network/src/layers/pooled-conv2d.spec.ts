import { startBackend } from '@sublace/backend';
import { activationLayer, flattenLayer, NaiveNetwork, poolingLayer, randomConvolution, randomDense, testRandom } from '@sublace/testing';
import fc from 'fast-check';
import { beforeAll, describe, it } from 'vitest';
import { expectLikeTwin } from '../testdata/expect-like-twin.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const extent = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

/** A convolution with max pooling behind it, in front of which there is another layer with weights, so that signals pass it. */
const chains = fc
  .record({
    seed: fc.nat(),
    kernelSize: fc.tuple(extent(4), extent(4)),
    strides: fc.constantFrom([1, 1] as const, [1, 1] as const, [2, 1] as const),
    padding: fc.constantFrom('same' as const, 'valid' as const),
    channels: fc.constantFrom(1, 2, 17),
    filters: extent(3),
    pool: fc.constantFrom([2, 2] as const, [3, 3] as const, [2, 1] as const),
    poolStrides: fc.constantFrom('tiles' as const, [1, 2] as const),
    room: fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 })),
  })
  .map(({ kernelSize, room, pool, poolStrides, ...rest }) => {
    // As small as there is one window of the pooling, and some room for others and for what lies beyond the last one.
    const [height, width] = [0, 1].map((axis) => kernelSize[axis] + 2 * pool[axis] - 1 + room[axis]) as [number, number];
    return { ...rest, kernelSize, pool, poolStrides: poolStrides === 'tiles' ? pool : poolStrides, height, width };
  });

describe('PooledConv2D', () => {
  it('does what its twins do, whichever way signals and columns take: any kernel, padding, stride and pooling', () => {
    fc.assert(
      fc.property(chains, ({ seed, kernelSize, strides, padding, channels, filters, pool, poolStrides, height, width }) => {
        const random = testRandom(seed);
        const plain = { dilations: [1, 1] as const, groups: 1, hasBias: true };
        const inputShape = [height, width, channels] as const;
        const outputOf = (size: number, places: number, stride: number, pads: string): number =>
          pads === 'same' ? Math.ceil(size / stride) : Math.floor((size - places) / stride) + 1;
        const [rows, columns] = [0, 1].map((axis) => outputOf(inputShape[axis], kernelSize[axis], strides[axis], padding)) as [
          number,
          number,
        ];
        const [down, across] = [0, 1].map((axis) => outputOf([rows, columns][axis], pool[axis], poolStrides[axis], 'valid')) as [
          number,
          number,
        ];
        const pooling = {
          ...plain,
          inputShape: [rows, columns, filters] as const,
          kernelSize: pool,
          strides: poolStrides,
          padding: 'valid' as const,
        };
        expectLikeTwin(
          new NaiveNetwork(
            [height, width, 1],
            [
              randomConvolution(random, 'first', 2, { ...plain, inputShape: [height, width, 1], kernelSize: [1, 1], strides: [1, 1], padding: 'same', filters: channels }), // prettier-ignore
              activationLayer('bend', 'tanh'),
              randomConvolution(random, 'second', 2, { ...plain, inputShape, kernelSize, strides, padding, filters }),
              activationLayer('bend_again', 'relu'),
              poolingLayer('Max', 2, pooling),
              flattenLayer('flatten'),
              randomDense(random, 'head', down * across * filters, 2),
            ],
          ),
        );
      }),
      { numRuns: 25 },
    );
  });
});
