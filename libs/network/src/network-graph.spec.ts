import { startBackend } from '@sublace/backend';
import { activationLayer, addLayer, flattenLayer, NaiveNetwork, randomConv2d, randomDense, testRandom } from '@sublace/testing';
import { beforeAll, describe, it } from 'vitest';
import { expectLikeTwin } from './testdata/expect-like-twin.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const random = testRandom(5);
const shared = randomDense(random, 'shared', 4, 4);
const convolution = randomConv2d(random, 'conv', { inputShape: [3, 3, 2], kernelSize: 3, stride: 1, padding: 'same', filters: 2 });

describe('graphs', () => {
  it.each([
    [
      'a layer used three times, over two inputs',
      new NaiveNetwork(
        [[4], [4]],
        [
          { layer: shared, inputs: [-1] },
          { layer: activationLayer('t', 'tanh'), inputs: [0] },
          { layer: shared, inputs: [1] },
          { layer: shared, inputs: [-2] },
          { layer: addLayer('sum'), inputs: [3, 2, 1] },
          { layer: randomDense(random, 'head', 4, 2), inputs: [4] },
        ],
      ),
    ],
    [
      'a convolution used twice in a row, with the input added',
      new NaiveNetwork(
        [[3, 3, 2]],
        [
          { layer: convolution, inputs: [-1] },
          { layer: activationLayer('t', 'tanh'), inputs: [0] },
          { layer: convolution, inputs: [1] },
          { layer: addLayer('sum'), inputs: [2, -1] },
          { layer: flattenLayer('flat'), inputs: [3] },
          { layer: randomDense(random, 'head', 18, 2), inputs: [4] },
        ],
      ),
    ],
  ])('of %s do what their twins do', (_, naive) => {
    expectLikeTwin(naive);
  });
});
