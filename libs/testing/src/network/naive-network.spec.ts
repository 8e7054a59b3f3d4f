import { describe, expect, it } from 'vitest';
import {
  activationLayer,
  addLayer,
  concatenateLayer,
  dotLayer,
  flattenLayer,
  mergeLayer,
  NaiveNetwork,
  naiveTransformer,
  randomAttention,
  randomConv2d,
  randomDense,
  randomEmbedding,
  testRandom,
} from '../index.ts';
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
  [
    'every merge',
    new NaiveNetwork(
      [[4], [4]],
      [
        { layer: randomDense(random, 'a', 4, 4), inputs: [-1] },
        { layer: randomDense(random, 'b', 4, 4), inputs: [-2] },
        ...(['Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum'] as const).map((kind) => ({
          layer: mergeLayer(kind, kind),
          inputs: [0, 1],
        })),
        { layer: concatenateLayer('join', [[2, 2], [2, 2], [2, 2]], 1), inputs: [2, 3, 4] }, // prettier-ignore
        { layer: dotLayer('dot', { shape: [6, 2], axis: 1 }, { shape: [2, 2], axis: 0 }, true), inputs: [7, 5] },
        { layer: concatenateLayer('both', [[12], [4]], 0), inputs: [8, 6] },
        { layer: randomDense(random, 'head', 16, 2), inputs: [9] },
      ],
    ),
  ],
  [
    'attention of two heads, of queries, values and keys of different widths',
    new NaiveNetwork(
      [
        [2, 3],
        [4, 2],
        [4, 5],
      ],
      [
        {
          layer: randomAttention(random, 'attention', {
            heads: 2,
            keyWidth: 3,
            valueWidth: 2,
            query: [2, 3],
            value: [4, 2],
            key: [4, 5],
            outputWidth: 3,
          }),
          inputs: [-1, -2, -3],
        },
        { layer: randomDense(random, 'head', 6, 2), inputs: [0] },
      ],
    ),
  ],
  ['a transformer', naiveTransformer(random, { inputShape: [3, 2], width: 4, depth: 1, heads: 2, outputs: 2 })],
  [
    'an embedding of the tokens 0 and 1',
    new NaiveNetwork(
      [[3]],
      [
        { layer: { ...activationLayer('sign', 'relu'), forward: (x) => x.map((value) => Number(value > 0)) }, inputs: [-1] },
        { layer: randomEmbedding(random, 'tokens', 3, 2), inputs: [0] },
        { layer: randomDense(random, 'head', 6, 2), inputs: [1] },
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
