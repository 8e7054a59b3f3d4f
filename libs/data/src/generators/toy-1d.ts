import type { Dataset, SplitSource } from '../dataset.ts';
import { createRandom, type Random } from '../random.ts';
import type { GeneratorOptions } from './digits.ts';

const NOISE_STD = 0.15;
/** The two clusters of training inputs; the gap is between them. */
const CLUSTERS = [
  [-2, -0.8],
  [0.7, 2],
] as const;
/** The test grid reaches beyond the clusters on both sides. */
const GRID = [-3, 3] as const;
const DEFAULT_COUNT = { train: 200, test: 200 };
const STREAM = { train: 1, test: 2 };

/**
 * The function behind the noise, for plots and tests.
 *
 * @param x  Input.
 * @returns  Mean of y at x.
 */
export function toy1dMean(x: number): number {
  return Math.sin(2.2 * x) + 0.35 * x;
}

/**
 * One-dimensional regression with a gap: training inputs in two clusters, a smooth function, Gaussian noise of std 0.15. The test
 * part is an even grid over [-3, 3], through the gap and beyond, with noisy targets.
 *
 * @param options  Seed and count.
 * @returns  Both parts, inputs [1], one value each, 200 and 200 examples by default.
 */
export function toy1d({ seed, count }: GeneratorOptions): SplitSource {
  const train = (): Dataset => {
    const random = createRandom(seed, STREAM.train);
    const inputs = Float32Array.from({ length: count ?? DEFAULT_COUNT.train }, (_, n) => {
      const [low, high] = CLUSTERS[n % 2];
      return low + (high - low) * random.uniform();
    });
    return withTargets(random, inputs);
  };
  const test = (): Dataset => {
    const length = count ?? DEFAULT_COUNT.test;
    const step = (GRID[1] - GRID[0]) / Math.max(length - 1, 1);
    return withTargets(
      createRandom(seed, STREAM.test),
      Float32Array.from({ length }, (_, n) => GRID[0] + step * n),
    );
  };
  return { train: async () => train(), test: async () => test() };
}

function withTargets(random: Random, inputs: Float32Array): Dataset {
  const values = inputs.map((x) => toy1dMean(x) + NOISE_STD * random.normal());
  return { name: 'toy-1d', count: inputs.length, inputShape: [1], inputs, targets: { kind: 'values', values, width: 1 } };
}
