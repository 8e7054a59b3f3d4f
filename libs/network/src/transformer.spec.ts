import { startBackend } from '@sublace/backend';
import { naiveTransformer, testRandom } from '@sublace/testing';
import { beforeAll, describe, it } from 'vitest';
import { expectLikeTwin } from './testdata/expect-like-twin.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

describe('a transformer classifier', () => {
  it.each([
    { inputShape: [4, 3, 1], width: 4, depth: 2, heads: 2, outputs: 3 },
    { inputShape: [3, 2], width: 4, depth: 1, heads: 1, outputs: 2 },
  ])('does what its twin does: %j', (sizes) => {
    expectLikeTwin(naiveTransformer(testRandom(sizes.depth), sizes));
  });
});
