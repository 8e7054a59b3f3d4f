import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accuracy, brier, ece, meanLogLikelihood, predictiveEntropy, softmax } from './index.ts';

const P = [0.7, 0.2, 0.1, 0.1, 0.6, 0.3, 0.25, 0.25, 0.5]; // [3, 3]
const y = [0, 2, 2];

/** Probabilities [N, C] and labels [N] from random logits. */
const predictions = fc.integer({ min: 2, max: 5 }).chain((classCount) =>
  fc
    .array(
      fc.tuple(
        fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: classCount, maxLength: classCount }),
        fc.nat(classCount - 1),
      ),
      {
        minLength: 1,
        maxLength: 40,
      },
    )
    .map((rows) => ({
      p: softmax(
        rows.flatMap(([logits]) => logits),
        classCount,
      ),
      labels: rows.map(([, label]) => label),
      classCount,
    })),
);

describe('hand-computed values', () => {
  it('log likelihood', () => expect(meanLogLikelihood(P, y)).toBeCloseTo((Math.log(0.7) + Math.log(0.3) + Math.log(0.5)) / 3, 14));
  it('accuracy', () => expect(accuracy(P, y)).toBe(2 / 3));
  it('brier', () => expect(brier(P, y)).toBeCloseTo((0.09 + 0.04 + 0.01 + (0.01 + 0.36 + 0.49) + (0.0625 + 0.0625 + 0.25)) / 3, 14));
  it('ece', () => expect(ece(P, y, { binCount: 10 })).toBeCloseTo((0.3 + 0.6 + 0.5) / 3, 14)); // three bins, one example each
  it('entropy', () => {
    const H = predictiveEntropy([0.5, 0.5, 1, 0], 2);
    expect(H[0]).toBeCloseTo(Math.log(2), 15);
    expect(H[1]).toBe(0);
  });
});

describe('meanLogLikelihood', () => {
  it('floors a zero probability at the smallest normal float32', () => {
    expect(meanLogLikelihood([1, 0], [1])).toBeCloseTo(-126 * Math.log(2), 10);
    expect(meanLogLikelihood([NaN, 0], [0])).toBeNaN();
  });
});

describe('ece', () => {
  it('is 0 when each bin is right as often as it is confident', () => {
    const rows = [0.75, 0.9, 0.6].flatMap((confidence) =>
      Array.from({ length: 20 }, (_, i) => ({ confidence, label: i < confidence * 20 ? 0 : 1 })),
    );
    expect(
      ece(
        rows.flatMap(({ confidence }) => [confidence, 1 - confidence]),
        rows.map(({ label }) => label),
      ),
    ).toBeCloseTo(0, 14);
  });

  it('puts the bin edge into the lower bin and certainty into the last', () => {
    // 0.5 belongs to (0, 0.5], 0.6 to (0.5, 1]: the errors -0.5 and +0.4 must not cancel.
    expect(ece([0.5, 0.5, 0.6, 0.4], [1, 0], { binCount: 2 })).toBeCloseTo(0.45, 14);
    expect(ece([1, 0], [0])).toBe(0);
  });

  it('agrees with a naive twin that filters bin by bin', () => {
    fc.assert(
      fc.property(predictions, fc.integer({ min: 1, max: 20 }), ({ p, labels, classCount }, binCount) => {
        const rows = labels.map((label, n) => Array.from(p.slice(n * classCount, (n + 1) * classCount)).map((value) => ({ value, label })));
        const top = rows.map((row) => {
          const value = Math.max(...row.map((cell) => cell.value));
          return { value, correct: row.findIndex((cell) => cell.value === value) === row[0].label ? 1 : 0 };
        });
        let expected = 0;
        for (let b = 0; b < binCount; b++) {
          const bin = top.filter(({ value }) => value > b / binCount && value <= (b + 1) / binCount);
          if (bin.length === 0) continue;
          const mean = (pick: (t: { value: number; correct: number }) => number) => bin.reduce((sum, t) => sum + pick(t), 0) / bin.length;
          expected += (bin.length / labels.length) * Math.abs(mean((t) => t.correct) - mean((t) => t.value));
        }
        expect(ece(p, labels, { binCount })).toBeCloseTo(expected, 10);
      }),
      { seed: 1 },
    );
  });
});

describe('bounds', () => {
  it('Brier in 0..2, entropy in 0..log C, ECE and accuracy in 0..1, log likelihood <= 0', () => {
    fc.assert(
      fc.property(predictions, ({ p, labels, classCount }) => {
        expect(brier(p, labels)).toBeGreaterThanOrEqual(0);
        expect(brier(p, labels)).toBeLessThanOrEqual(2);
        for (const H of predictiveEntropy(p, classCount)) expect(H >= 0 && H <= Math.log(classCount) + 1e-12).toBe(true);
        for (const share of [ece(p, labels), accuracy(p, labels)]) expect(share >= 0 && share <= 1).toBe(true);
        expect(meanLogLikelihood(p, labels)).toBeLessThanOrEqual(1e-12);
      }),
      { seed: 2 },
    );
  });
});

describe('bad input', () => {
  it('names the row of a label out of range', () => {
    expect(() => accuracy(P, [0, 1, 3])).toThrow('accuracy: expected labels in 0..2, got 3 at row 2');
    expect(() => brier(P, [0, -1, 2])).toThrow('got -1 at row 1');
  });
  it('says which lengths do not fit', () => {
    expect(() => ece(P, [0, 1])).toThrow('expected [N, C] values and [N] labels with N >= 1, got 9 values and 2 labels');
    expect(() => meanLogLikelihood([], [])).toThrow('got 0 values and 0 labels');
    expect(() => predictiveEntropy(P, 2)).toThrow('got 9 values for C = 2');
  });
});
