import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { datasetDigest, sliceDataset, splitValidation, takeExamples, type Dataset } from './index.ts';

/** Example n has inputs 10 n, 10 n + 1 and target n. */
const make = (count: number, kind: 'labels' | 'values'): Dataset => ({
  name: 'counting',
  count,
  inputShape: [2],
  inputs: Float32Array.from({ length: 2 * count }, (_, i) => 10 * Math.floor(i / 2) + (i % 2)),
  targets:
    kind === 'labels'
      ? { kind, labels: Int32Array.from({ length: count }, (_, n) => n), classCount: count }
      : { kind, values: Float32Array.from({ length: 2 * count }, (_, i) => i), width: 2 },
});

describe('takeExamples', () => {
  it('takes inputs and targets in the given order', () => {
    expect(takeExamples(make(4, 'labels'), [3, 1, 1])).toMatchObject({
      count: 3,
      inputs: Float32Array.of(30, 31, 10, 11, 10, 11),
      targets: { labels: Int32Array.of(3, 1, 1), classCount: 4 },
    });
    expect(takeExamples(make(4, 'values'), [2, 0]).targets).toEqual({ kind: 'values', values: Float32Array.of(4, 5, 0, 1), width: 2 });
    expect(takeExamples({ ...make(4, 'labels'), targets: { kind: 'none' } }, []).targets).toEqual({ kind: 'none' });
  });
  it.each([4, -1, 0.5])('refuses position %s', (n) => {
    expect(() => takeExamples(make(4, 'labels'), [n])).toThrow(`expected example positions in 0..3, got ${n}`);
  });
});

describe('sliceDataset', () => {
  it('equals takeExamples of the same range, for either kind of target', () => {
    fc.assert(
      fc.property(fc.constantFrom('labels' as const, 'values' as const), fc.nat(9), fc.nat(9), (kind, a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const range = Array.from({ length: end - start }, (_, i) => start + i);
        expect(sliceDataset(make(9, kind), start, end - start)).toEqual(takeExamples(make(9, kind), range));
      }),
      { seed: 1 },
    );
  });
  it('shares memory, and refuses to leave the data set', () => {
    const dataset = make(4, 'labels');
    expect(sliceDataset(dataset, 1, 2).inputs.buffer).toBe(dataset.inputs.buffer);
    expect(() => sliceDataset(dataset, 3, 2)).toThrow('expected a range within 0..4, got start 3, count 2');
  });
});

describe('splitValidation', () => {
  it('gives every example once, in the order of the source, chosen by the seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.double({ min: 0, max: 0.9, noNaN: true }), fc.integer(), (count, fraction, seed) => {
        fc.pre(Math.round(fraction * count) < count);
        const parts = splitValidation(make(count, 'labels'), { fraction, seed });
        const labels = [parts.training, parts.validation].map(({ targets }) => (targets.kind === 'labels' ? [...targets.labels] : []));
        expect(parts.validation.count).toBe(Math.round(fraction * count));
        for (const part of labels) expect(part).toEqual([...part].sort((a, b) => a - b));
        expect(labels.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, n) => n));
        expect(splitValidation(make(count, 'labels'), { fraction, seed })).toEqual(parts);
      }),
      { seed: 2 },
    );
  });
  it('depends on the seed', () => {
    const digest = (seed: number) => datasetDigest(splitValidation(make(100, 'values'), { fraction: 0.1, seed }).validation);
    expect(digest(1)).not.toBe(digest(2));
  });
  it.each([-0.1, 1, NaN, 0.99])('refuses fraction %s of ten examples', (fraction) => {
    expect(() => splitValidation(make(10, 'labels'), { fraction, seed: 0 })).toThrow(
      `expected a validation fraction in [0, 1) that leaves examples to train on, got ${fraction} of 10`,
    );
  });
});
