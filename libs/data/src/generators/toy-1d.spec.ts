import { describe, expect, it } from 'vitest';
import { datasetDigest, loadDataset, toy1dMean, type Dataset } from '../index.ts';

const valuesOf = ({ targets }: Dataset) => (targets.kind === 'values' ? targets.values : new Float32Array());

describe('toy-1d', () => {
  it('trains on two clusters of equal size with a gap between them', async () => {
    const { inputs, count } = await loadDataset('toy-1d');
    expect(count).toBe(200);
    expect(inputs.filter((x) => x >= -2 && x <= -0.8).length).toBe(100);
    expect(inputs.filter((x) => x >= 0.699 && x <= 2.001).length).toBe(100);
  });

  it('tests on an even grid through the gap and beyond', async () => {
    const { inputs } = await loadDataset('toy-1d?split=test&count=7');
    expect(Array.from(inputs, (x) => Math.round(x))).toEqual([-3, -2, -1, 0, 1, 2, 3]);
  });

  it('adds noise of std 0.15 to a smooth function, within five standard errors', async () => {
    const dataset = await loadDataset('toy-1d?count=4000&seed=3');
    const residuals = Array.from(valuesOf(dataset), (y, n) => y - toy1dMean(dataset.inputs[n]));
    const mean = residuals.reduce((a, b) => a + b) / 4000;
    const std = Math.sqrt(residuals.reduce((sum, r) => sum + r * r, 0) / 4000);
    expect(Math.abs(mean)).toBeLessThan((5 * 0.15) / Math.sqrt(4000));
    expect(Math.abs(std - 0.15)).toBeLessThan((5 * 0.15) / Math.sqrt(8000));
  });

  it('depends on the seed alone', async () => {
    const digest = async (spec: string) => datasetDigest(await loadDataset(spec));
    expect(await digest('toy-1d')).toBe('0417705ea4cace60dff8b183f522e3ed64898294ebd0468f710ab2fe19a1a259');
    expect(await digest('toy-1d?seed=1')).not.toBe(await digest('toy-1d'));
    await expect(loadDataset('toy-1d', { likelihood: 'classification' })).rejects.toThrow('expected class labels 0, 1, 2, ...');
    await expect(loadDataset('toy-1d?rotate=3')).rejects.toThrow(
      "expected for toy-1d keys of split, limit, offset, seed, count, got 'rotate'",
    );
  });
});
