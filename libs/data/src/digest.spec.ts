import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { datasetDigest, type Dataset } from './index.ts';

const base: Dataset = {
  name: 'a',
  count: 2,
  inputShape: [1],
  inputs: Float32Array.of(1.5, -2),
  targets: { kind: 'labels', labels: Int32Array.of(0, 1), classCount: 2 },
};

describe('datasetDigest', () => {
  it('is the sha256 of the canonical bytes, spelt out', () => {
    const text = Buffer.from('{"count":2,"inputShape":[1],"targets":"labels","size":2}\n');
    const bytes = Buffer.from('0000c03f' + '000000c0' + '00000000' + '01000000', 'hex');
    expect(datasetDigest(base)).toBe(
      createHash('sha256')
        .update(Buffer.concat([text, bytes]))
        .digest('hex'),
    );
  });

  it('does not see the name or where the memory lies', () => {
    const moved = Float32Array.of(9, 1.5, -2).subarray(1);
    expect(datasetDigest({ ...base, name: 'b', inputs: moved })).toBe(datasetDigest(base));
  });

  it('sees every value, the shape and the kind of targets', () => {
    const others: Dataset[] = [
      base,
      { ...base, inputs: Float32Array.of(1.5, 2) },
      { ...base, inputShape: [1, 1] },
      { ...base, targets: { kind: 'labels', labels: Int32Array.of(1, 1), classCount: 2 } },
      { ...base, targets: { kind: 'labels', labels: Int32Array.of(0, 1), classCount: 3 } },
      { ...base, targets: { kind: 'values', values: Float32Array.of(0, 1), width: 1 } },
      { ...base, targets: { kind: 'none' } },
    ];
    expect(new Set(others.map(datasetDigest)).size).toBe(others.length);
  });
});
