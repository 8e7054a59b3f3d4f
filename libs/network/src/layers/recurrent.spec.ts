import { startBackend } from '@sublace/backend';
import { randomRecurrent, testRandom } from '@sublace/testing';
import { beforeAll, describe, it } from 'vitest';
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
