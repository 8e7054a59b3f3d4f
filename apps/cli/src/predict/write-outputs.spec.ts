import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readNpy } from '@sublace/tensor-files';
import { afterAll, describe, expect, it } from 'vitest';
import { toRows, writeOutputs } from './write-outputs.ts';

const folder = mkdtempSync(join(tmpdir(), 'sublace-outputs-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const outputs = [
  { name: 'entropy', shape: [2], data: Float64Array.of(0.1, 0.2) },
  { name: 'mean', shape: [2, 1], data: Float64Array.of(1, 2) },
  { name: 'joint_covariance', shape: [2, 1, 2, 1], data: Float64Array.of(4, 3, 3, 5) },
];

describe('predictions', () => {
  it('are one object per input, with what belongs to it as one flat array', () => {
    expect(toRows(outputs)).toEqual([
      { entropy: 0.1, mean: [1], joint_covariance: [4, 3] },
      { entropy: 0.2, mean: [2], joint_covariance: [3, 5] },
    ]);
  });

  it('are columns of a table, side by side', () => {
    const csv = join(folder, 'p.csv');
    writeOutputs(csv, outputs);
    expect(readFileSync(csv, 'utf8').split('\n').slice(0, 2)).toEqual([
      'entropy,mean_0,joint_covariance_0,joint_covariance_1',
      '0.1,1,4,3',
    ]);
    const npy = join(folder, 'p.npy');
    writeOutputs(npy, outputs);
    expect(readNpy(readFileSync(npy))).toMatchObject({ shape: [2, 4], data: Float64Array.of(0.1, 1, 4, 3, 0.2, 2, 3, 5) });
  });

  it('are not written to a file of another kind', () => {
    expect(() => writeOutputs(join(folder, 'p.txt'), outputs)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
