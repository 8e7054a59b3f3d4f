import { startBackend } from '@sublace/backend';
import {
  flattenLayer,
  NaiveNetwork,
  overStepsLayer,
  randomConv2d,
  randomDense,
  randomRecurrent,
  randomSequenceDense,
  testRandom,
  type NaiveLayer,
} from '@sublace/testing';
import { beforeAll, describe, it } from 'vitest';
import { expectLikeTwin } from '../testdata/expect-like-twin.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const random = testRandom(6);
const convolution = randomConv2d(random, 'steps', { inputShape: [2, 3, 2], kernelSize: 2, stride: 1, padding: 'same', filters: 2 });
const recurrent = randomRecurrent(random, 'GRU', 'steps', {
  steps: 3,
  features: 4,
  units: 2,
  returnsSequences: false,
  goesBackwards: false,
  hasBias: true,
  activation: 'tanh',
  recurrentActivation: 'sigmoid',
});

describe('a layer at every step of a sequence', () => {
  it.each<[string, NaiveLayer, readonly number[], number]>([
    ['a convolution', convolution, [2, 3, 2], 12],
    ['a recurrent layer', recurrent, [3, 4], 2],
    ['a dense layer', randomDense(random, 'steps', 12, 3), [12], 3],
  ])('does what its twin does, with %s inside', (_, inner, shape, outputs) => {
    const [steps, size] = [3, shape.reduce((product, extent) => product * extent, 1)];
    expectLikeTwin(
      new NaiveNetwork(
        [[steps, size]],
        [
          { layer: randomSequenceDense(random, 'before', steps, size, size), inputs: [-1] },
          {
            layer: { ...flattenLayer('shape'), className: 'Reshape', config: { name: 'shape', target_shape: [steps, ...shape] } },
            inputs: [0],
          },
          { layer: overStepsLayer(inner, steps), inputs: [1] },
          { layer: flattenLayer('flat'), inputs: [2] },
          { layer: randomDense(random, 'head', steps * outputs, 2), inputs: [3] },
        ],
      ),
    );
  });
});
