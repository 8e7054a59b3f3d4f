import { expect, it } from 'vitest';
import { threadsFor, type PosteriorSize } from './thread-count.ts';

const posterior = (parameterCount: number, size: number, outputCount = 10): PosteriorSize =>
  ({ model: { parameterCount, outputCount }, subnetwork: { size } }) as unknown as PosteriorSize;

const lenet = posterior(61_706, 1000);

it('is one where all posteriors are small, as many as there are processors where one is large', () => {
  expect(threadsFor([lenet], 8)).toBe(1);
  expect(threadsFor([lenet, posterior(200, 50, 1)], 8)).toBe(1);
  expect(threadsFor([lenet, posterior(61_706, 4000)], 8)).toBe(8);
  expect(threadsFor([posterior(11_000_000, 100)], 8)).toBe(8);
});

it('is as many as there are processors where nothing is known of what will come', () => {
  expect(threadsFor([], 8)).toBe(8);
});
