import { describe, expect, it } from 'vitest';
import { checkFinite, checkInputShape, checkLabels, checkTargetValues, type Dataset } from './index.ts';

const make = (over: Partial<Dataset> = {}): Dataset => ({
  name: 'four',
  count: 2,
  inputShape: [2],
  inputs: Float32Array.of(1, 2, 3, 4),
  targets: { kind: 'labels', labels: Int32Array.of(0, 2), classCount: 3 },
  ...over,
});

describe('checkFinite', () => {
  it('passes finite values of any size', () => checkFinite(make({ inputs: Float32Array.of(0, -0, 3.4e38, 1e-45) })));
  it.each([NaN, Infinity, -Infinity])('names the first row with %s', (bad) => {
    expect(() => checkFinite(make({ inputs: Float32Array.of(1, 2, 3, bad) }))).toThrow(
      `four: expected finite numbers, got ${bad} in row 1 (input value 1)`,
    );
    const targets = { kind: 'values' as const, values: Float32Array.of(bad, 1), width: 1 };
    expect(() => checkFinite(make({ targets }))).toThrow(`got ${bad} in row 0 (target value 0)`);
  });
});

describe('checkLabels', () => {
  it('passes labels in range', () => checkLabels(make()));
  it('names the first row out of range', () => {
    expect(() => checkLabels(make(), 2)).toThrow('four: expected labels in 0..1, got 2 in row 1');
    expect(() => checkLabels(make({ targets: { kind: 'labels', labels: Int32Array.of(-1, 0), classCount: 3 } }))).toThrow(
      'got -1 in row 0',
    );
  });
  it('refuses other targets', () => {
    expect(() => checkLabels(make({ targets: { kind: 'none' } }))).toThrow('expected class labels, got no targets');
    expect(() => checkLabels(make({ targets: { kind: 'values', values: Float32Array.of(1, 2), width: 1 } }))).toThrow(
      'got 1 regression value',
    );
  });
});

describe('checkTargetValues', () => {
  const values = Float32Array.of(0, 1, 1, 0);
  const flags = make({ targets: { kind: 'flags', values, width: 2 } });

  it('gives the values of the right kind and width', () => expect(checkTargetValues(flags, 'flags', 2)).toBe(values));

  it('refuses others', () => {
    expect(() => checkTargetValues(flags, 'values', 2)).toThrow('four: expected 2 target values per example, got 2 targets of 0 or 1');
    expect(() => checkTargetValues(flags, 'flags', 1)).toThrow('four: expected 1 targets of 0 or 1 per example, got 2 targets of 0 or 1');
  });
});

describe('checkInputShape', () => {
  it('adopts the shape of the model where only axes of size 1 differ', () => {
    const images = make({ count: 1, inputShape: [2, 2], inputs: Float32Array.of(1, 2, 3, 4) });
    const fitted = checkInputShape(images, [2, 2, 1]);
    expect(fitted.inputShape).toEqual([2, 2, 1]);
    expect(fitted.inputs).toBe(images.inputs);
    expect(images.inputShape).toEqual([2, 2]);
  });
  it('names both shapes, and the channels when they come first', () => {
    expect(() => checkInputShape(make(), [3])).toThrow('four: expected inputs [3] for this model, got [2]');
    expect(() => checkInputShape(make(), [2, 2])).toThrow('expected inputs [2, 2]');
    expect(() => checkInputShape(make({ inputShape: [3, 32, 32] }), [32, 32, 3])).toThrow(
      'got [3, 32, 32]; images must have their channels last',
    );
  });
});
