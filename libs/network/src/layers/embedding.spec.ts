import { startBackend } from '@sublace/backend';
import { randomEmbedding, testRandom } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectAgreement } from '../testdata/twin.ts';
import { Embedding } from './embedding.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

describe('Embedding', () => {
  it.each([1, 2, 3, 4])('agrees with its twin: tokens that occur once, twice or never (%i)', (seed) => {
    const random = testRandom(seed);
    const [vocabulary, width, length] = [2 + random.integer(9), 1 + random.integer(4), 1 + random.integer(6)];
    const tokens = (count: number): number[] => Array.from({ length: count }, () => random.integer(vocabulary));
    expectAgreement(random, randomEmbedding(random, 'tokens', vocabulary, width), [length], tokens);
    expectAgreement(random, randomEmbedding(random, 'tokens', vocabulary, width), [2, length], tokens);
  });

  it('refuses tokens that are not in its table, by name', () => {
    const layer = new Embedding('tokens', tf.zeros([4, 2]));
    for (const token of [4, -1, 1.5, NaN])
      expect(() => tf.tidy(() => layer.forward([tf.tensor2d([[0, token]])]).output)).toThrow(
        `layer 'tokens' (Embedding): expected tokens to be whole numbers from 0 to 3, got ${token}`,
      );
    tf.dispose(layer.weights.map(({ value }) => value));
  });
});
