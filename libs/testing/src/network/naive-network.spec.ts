import { describe, expect, it } from 'vitest';
import { activationLayer, addLayer, flattenLayer, NaiveNetwork, randomConv2d, randomDense, testRandom } from '../index.ts';
import { differencedJacobian } from './differenced-jacobian.ts';

const random = testRandom(3);
const shared = randomDense(random, 'shared', 3, 3);

describe.each([
  [
    'dense with tanh',
    new NaiveNetwork([3], [randomDense(random, 'a', 3, 4), activationLayer('t', 'tanh'), randomDense(random, 'b', 4, 2)]),
  ],
  [
    'convolution, stride 2, padded, with relu',
    new NaiveNetwork(
      [5, 4, 2],
      [
        randomConv2d(random, 'a', { inputShape: [5, 4, 2], kernelSize: 3, stride: 2, padding: 'same', filters: 3 }),
        activationLayer('r', 'relu'),
        flattenLayer('f'),
        randomDense(random, 'b', 18, 2),
      ],
    ),
  ],
  [
    'two inputs, a residual sum, a layer used twice',
    new NaiveNetwork(
      [[3], [3]],
      [
        { layer: shared, inputs: [-1] },
        { layer: activationLayer('t', 'tanh'), inputs: [0] },
        { layer: shared, inputs: [1] },
        { layer: addLayer('sum'), inputs: [2, 1, -2] },
        { layer: randomDense(random, 'b', 3, 2), inputs: [3] },
      ],
    ),
  ],
])('%s', (_, network) => {
  it('has the Jacobian that central differences of its outputs give', () => {
    const input = random.normals(network.inputShape.reduce((a, b) => a * b, 1));
    const expected = differencedJacobian(network, input);
    expect(network.jacobian(input).flat()).toBeAllclose(expected.flat(), { relative: 1e-6, scaled: 1e-8 }); // error of the differences
    expect(expected.flat().length).toBe(2 * network.parameterCount);
  });
});
