import { join } from 'node:path';
import { activeBackend, startBackend } from '@sublace/backend';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { memoryOfPosterior, openPosterior, truncatePosterior, type PosteriorSizes } from '../index.ts';
import { fitInProcess } from '../testdata/fit-in-process.ts';
import { tableProblem, temporaryFolder, type SmallProblem } from '../testdata/small-problems.ts';

const folder = temporaryFolder();
let problem: SmallProblem;
let fit: string;

beforeAll(async () => {
  await startBackend({ threads: 1 });
  problem = await tableProblem(join(folder, 'table'));
  fit = (await fitInProcess({ ...problem, subnetwork: 'names:*', priorPrecision: 2, output: join(folder, 'fit') })).folder;
});

/** A manifest's sizes. */
function sizes(size: number, rank?: number): PosteriorSizes {
  return {
    model: { parameterCount: 61_706, outputCount: 10 },
    subnetwork: { size },
    ...(rank !== undefined && { truncation: { rank } }),
  } as unknown as PosteriorSizes;
}

describe('memoryOfPosterior', () => {
  it('counts what is loaded', async () => {
    const graphs = { batchMax: 1, isPrepared: false };
    const before = tf.memory().numBytes;
    const fitted = await openPosterior(fit);
    const weights = tf.memory().numBytes - before;
    const { heldBytes } = memoryOfPosterior(fitted.manifest, graphs);
    // Doubles are not tf.js's: the factor, one tile of 35 x 35; and 28 bytes of vectors for each of the 35 weights.
    expect(heldBytes - weights).toBe(8 * 35 ** 2 + 28 * 35);
    expect(fitted.memory(1).heldBytes).toBe(heldBytes);
    expect(fitted.memoryBytes).toBe(fitted.memory(64).peakBytes);
    await fitted.prepare({ batchMax: 1 });
    const inverse = tf.memory().numBytes - before - weights;
    expect(inverse).toBe(4 * 35 ** 2);
    expect(fitted.memory(1).heldBytes).toBeGreaterThan(heldBytes + inverse);
    fitted.dispose();

    await truncatePosterior(fit, join(folder, 'truncated'), { data: problem.data, choice: { rank: 5 }, count: 10 });
    const other = tf.memory().numBytes;
    const truncated = await openPosterior(join(folder, 'truncated'), { covariance: 'truncated' });
    const held = memoryOfPosterior(truncated.manifest, { ...graphs, covariance: 'truncated' }).heldBytes;
    expect(held - (tf.memory().numBytes - other)).toBe(28 * 35); // the factor stays in its file
    truncated.dispose();
    expect(activeBackend().threads).toBe(1);
  });

  it('grows with the subnetwork, the batch and the rank', () => {
    const peak = (size: number, use = {}): number => memoryOfPosterior(sizes(size, 100), use).peakBytes;
    expect(peak(4000)).toBeGreaterThan(peak(1000) + 8 * (4000 ** 2 / 2)); // the factor
    expect(peak(1000, { batchMax: 64 })).toBeGreaterThan(peak(1000, { batchMax: 1 }));
    expect(peak(4000, { covariance: 'truncated' })).toBeLessThan(peak(4000));
    expect(peak(9000, { isPrepared: false })).toBeLessThan(peak(9000)); // graphs, no inverse
    const { heldBytes, batchBytes, openingBytes, peakBytes } = memoryOfPosterior(sizes(4000));
    expect(peakBytes).toBe(heldBytes + Math.max(batchBytes, openingBytes));
    expect(heldBytes / 2 ** 20).toBeGreaterThan(8 * 4000 ** 2 / 2 / 2 ** 20); // prettier-ignore
    expect(heldBytes / 2 ** 20).toBeLessThan(250);
  });
});
