import { startBackend } from '@sublace/backend';
import {
  flattenLayer,
  NaiveNetwork,
  randomBidirectional,
  randomDense,
  randomRecurrent,
  randomSequenceDense,
  testRandom,
} from '@sublace/testing';
import { beforeAll, describe, it } from 'vitest';
import { expectLikeTwin } from '../testdata/expect-like-twin.ts';
import { expectAgreement } from '../testdata/twin.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

describe.each([
  ['SimpleRNN', false],
  ['LSTM', false],
  ['GRU', false],
  ['GRU', true],
] as const)('%s, reset after the product: %s', (className, resetsAfter) => {
  it.each([
    { returnsSequences: false, goesBackwards: false, hasBias: true, activation: 'tanh', recurrentActivation: 'sigmoid' },
    { returnsSequences: true, goesBackwards: false, hasBias: true, activation: 'tanh', recurrentActivation: 'hardSigmoid' },
    { returnsSequences: false, goesBackwards: true, hasBias: false, activation: 'softsign', recurrentActivation: 'sigmoid' },
    { returnsSequences: true, goesBackwards: true, hasBias: true, activation: 'elu', recurrentActivation: 'sigmoid' },
  ])('agrees with its twin on random shapes: %j', (options) => {
    const random = testRandom(Object.values(options).join().length);
    for (let i = 0; i < 2; i++) {
      const [steps, features, units] = [1 + random.integer(4), 1 + random.integer(3), 1 + random.integer(3)];
      expectAgreement(random, randomRecurrent(random, className, 'recurrent', { steps, features, units, resetsAfter, ...options }), [
        steps,
        features,
      ]);
    }
  });
});

describe('Bidirectional', () => {
  it.each([
    ['LSTM', 'concat', true],
    ['GRU', 'concat', false],
    ['SimpleRNN', 'sum', true],
  ] as const)('does what its twin does: %s, %s, all steps: %s', (className, mergeMode, returnsSequences) => {
    const random = testRandom(8);
    const [steps, features, units] = [3, 2, 2];
    const sizes = { steps, features, units, returnsSequences, hasBias: true, activation: 'tanh', recurrentActivation: 'sigmoid' };
    const both = randomBidirectional(random, className, 'both', sizes, mergeMode);
    const outputCount = (returnsSequences ? steps : 1) * units * (mergeMode === 'concat' ? 2 : 1);
    expectLikeTwin(
      new NaiveNetwork(
        [[steps, features]],
        [
          { layer: randomSequenceDense(random, 'before', steps, features, features), inputs: [-1] },
          { layer: both, inputs: [0] },
          { layer: flattenLayer('flat'), inputs: [1] },
          { layer: randomDense(random, 'head', outputCount, 2), inputs: [2] },
        ],
      ),
    );
  });
});
