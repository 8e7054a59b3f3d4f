import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logSoftmax, softmax } from './index.ts';

const rows = fc.array(fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 4, maxLength: 4 }), {
  minLength: 1,
  maxLength: 6,
});

describe('softmax', () => {
  it('agrees with the naive quotient where that does not overflow', () => {
    fc.assert(
      fc.property(rows, (logits) => {
        const p = softmax(logits.flat(), 4);
        logits.forEach((row, n) => {
          const sum = row.reduce((total, f) => total + Math.exp(f), 0);
          row.forEach((f, c) => expect(p[n * 4 + c]).toBeCloseTo(Math.exp(f) / sum, 12));
        });
      }),
      { seed: 5 },
    );
  });

  it('does not overflow or lose the log of a tiny probability', () => {
    expect(Array.from(softmax([1e4, 0], 2))).toEqual([1, 0]);
    expect(Array.from(logSoftmax([1e4, 0], 2))).toEqual([0, -1e4]);
    expect(Array.from(softmax([-1e4, -1e4], 2))).toEqual([0.5, 0.5]);
  });

  it('refuses a length that is no multiple of C', () => {
    expect(() => softmax([1, 2, 3], 2)).toThrow('logSoftmax: expected logits [N, C], got 3 values for C = 2');
  });
});
