import { Rows, type Network } from '@sublace/network';
import { startBackend } from '@sublace/backend';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { forEachPass, microBatchSize, rowsPerPass } from './index.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** All that the rule looks at. */
function network(largest: number): Network {
  return { activationElements: { largest, total: 2 * largest } } as unknown as Network;
}

describe('microBatchSize', () => {
  it('keeps signals and columns within 64 MiB, and is never zero', () => {
    // 4 bytes x (8 signals of 10,000 + 2 x 2,000 columns) = 336 kB per row
    expect(rowsPerPass(network(10_000), 2000)).toBe(199);
    expect(microBatchSize(network(10_000), 2000, 9)).toBe(22);
    expect(microBatchSize(network(100), 10, 1)).toBe(512);
    expect(microBatchSize(network(1e9), 1e6, 1000)).toBe(1);
  });

  it('never grows with the subnetwork', () => {
    const sizes = [0, 10, 1000, 40_000, 1e6].map((columns) => microBatchSize(network(50_000), columns, 9));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  });
});

describe('forEachPass', () => {
  it('cuts the rows of a single example, in order, and leaves those of several together', () => {
    const before = tf.memory().numTensors;
    const seeds = tf.tensor2d([1, 2, 3, 4, 5, 6, 7], [7, 1]);
    const passes: number[][] = [];
    forEachPass(seeds, new Rows(1, 7), 3, (part, rows, first) => {
      expect(rows.rowCount).toBe(part.shape[0]);
      expect(first).toBe(passes.flat().length);
      passes.push([...part.dataSync()]);
    });
    expect(passes).toEqual([[1, 2, 3], [4, 5, 6], [7]]); // prettier-ignore
    forEachPass(seeds, new Rows(7, 1), 3, (part) => {
      expect(part).toBe(seeds);
    });
    seeds.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
