import type { Network } from '@sublace/network';
import { describe, expect, it } from 'vitest';
import { microBatchSize } from './index.ts';

/** All that the rule looks at. */
function network(largest: number, outputCount: number): Network {
  return { activationElements: { largest, total: 2 * largest }, outputCount } as unknown as Network;
}

describe('microBatchSize', () => {
  it('keeps signals and rows within 256 MiB, and is never zero', () => {
    // 4 bytes x (8 signals of 10,000 + 2 x 2,000 columns) x 10 outputs = 3.36 MB per example
    expect(microBatchSize(network(10_000, 10), 2000)).toBe(79);
    expect(microBatchSize(network(100, 2), 10)).toBe(512);
    expect(microBatchSize(network(1e9, 1000), 1e6)).toBe(1);
  });

  it('never grows with the subnetwork', () => {
    const sizes = [0, 10, 1000, 40_000, 1e6].map((columns) => microBatchSize(network(50_000, 10), columns));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  });
});
