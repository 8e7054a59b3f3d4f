import { describe, expect, it } from 'vitest';
import { readCifar } from './cifar.ts';

/** One record with a label; the byte at (channel, y, x) is a formula of all three. */
const byteAt = (channel: number, y: number, x: number) => (channel * 85 + y * 5 + x) % 256;
function record(label: number): Uint8Array {
  const bytes = new Uint8Array(3073);
  bytes[0] = label;
  for (let channel = 0; channel < 3; channel++)
    for (let i = 0; i < 1024; i++) bytes[1 + channel * 1024 + i] = byteAt(channel, Math.floor(i / 32), i % 32);
  return bytes;
}

describe('readCifar', () => {
  it('puts the channels last, over all batches', () => {
    const { count, inputShape, inputs, targets } = readCifar('c', [record(3), new Uint8Array(Buffer.concat([record(0), record(9)]))]);
    expect([count, inputShape, targets]).toEqual([3, [32, 32, 3], { kind: 'labels', labels: Int32Array.of(3, 0, 9), classCount: 10 }]);
    for (const [n, y, x, c] of [
      [0, 0, 0, 0],
      [0, 31, 2, 1],
      [2, 7, 30, 2],
    ])
      expect(inputs[((n * 32 + y) * 32 + x) * 3 + c]).toBe(byteAt(c, y, x));
  });
  it('refuses half a record and a label above 9', () => {
    expect(() => readCifar('c', [record(1), record(1).subarray(0, 3000)])).toThrow(
      'expected a whole number of CIFAR-10 records of 3073 bytes in batch 2, got 3000 bytes',
    );
    expect(() => readCifar('c', [new Uint8Array(0)])).toThrow('in batch 1, got 0 bytes');
    expect(() => readCifar('c', [record(1), record(10)])).toThrow('c: expected labels in 0..9, got 10 in row 1');
  });
});
