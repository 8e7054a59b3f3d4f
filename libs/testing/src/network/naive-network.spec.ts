import { describe, expect, it } from 'vitest';
import { activationLayer, flattenLayer, NaiveNetwork, randomConv2d, randomDense, testRandom } from '../index.ts';

const random = testRandom(3);

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
])('%s', (_, network) => {
  it('has the Jacobian that central differences of its outputs give', () => {
    const input = random.normals(network.inputShape.reduce((a, b) => a * b, 1));
    const columns = network.layers.flatMap((layer) =>
      layer.weights.flatMap(({ values }) =>
        values.map((before, i) => {
          const at = (value: number): number[] => {
            values[i] = value;
            return network.forward(input);
          };
          const [above, below] = [at(before + 1e-5), at(before - 1e-5)];
          values[i] = before;
          return above.map((value, c) => (value - below[c]) / 2e-5);
        }),
      ),
    );
    const expected = network.forward(input).flatMap((__, c) => columns.map((column) => column[c]));
    expect(network.jacobian(input).flat()).toBeAllclose(expected, { relative: 1e-6, scaled: 1e-8 }); // error of the differences
    expect(expected.length).toBe(2 * network.parameterCount);
  });
});
