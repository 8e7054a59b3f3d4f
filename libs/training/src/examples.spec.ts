import { describe, expect, it } from 'vitest';
import { checkExamples, takeExamples, type Examples } from './examples.ts';

const labelled: Examples = {
  count: 3,
  inputShape: [2],
  inputs: Float32Array.of(1, 2, 3, 4, 5, 6),
  targets: { kind: 'labels', labels: Int32Array.of(0, 1, 2), classCount: 3 },
};
const valued: Examples = { ...labelled, targets: { kind: 'values', values: Float32Array.of(10, 20, 30, 40, 50, 60), width: 2 } };

describe('takeExamples', () => {
  it('copies rows in the order asked for', () => {
    expect(takeExamples(labelled, [2, 0])).toEqual({
      count: 2,
      inputShape: [2],
      inputs: Float32Array.of(5, 6, 1, 2),
      targets: { kind: 'labels', labels: Int32Array.of(2, 0), classCount: 3 },
    });
    expect(takeExamples(valued, [1]).targets).toEqual({ kind: 'values', values: Float32Array.of(30, 40), width: 2 });
  });
});

describe('checkExamples', () => {
  const messageOf = (examples: Examples): string => {
    try {
      checkExamples(examples, 'data');
      return 'accepted';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('accepts what fits', () => {
    expect([messageOf(labelled), messageOf(valued)]).toEqual(['accepted', 'accepted']);
  });

  it('names the first bad example', () => {
    const nan = { ...labelled, inputs: Float32Array.of(1, 2, 3, Number.NaN, 5, 6) };
    expect(messageOf(nan)).toMatch(/finite values, got NaN at index 1/);
    const infinite: Examples = { ...valued, targets: { kind: 'values', values: Float32Array.of(1, 2, 3, 4, Infinity, 6), width: 2 } };
    expect(messageOf(infinite)).toMatch(/targets: expected finite values, got Infinity at index 2/);
    const outside: Examples = { ...labelled, targets: { kind: 'labels', labels: Int32Array.of(0, 3, -1), classCount: 3 } };
    expect(messageOf(outside)).toMatch(/labels from 0 to 2, got 3 at index 1/);
  });

  it('refuses arrays of another length', () => {
    expect(messageOf({ ...labelled, count: 0 })).toMatch(/at least one/);
    expect(messageOf({ ...labelled, inputs: labelled.inputs.subarray(1) })).toMatch(/expected 6 elements, got 5/);
    expect(messageOf({ ...labelled, count: 2, inputs: labelled.inputs.subarray(2) })).toMatch(
      /labels of 2 examples: expected 2 elements, got 3/,
    );
  });
});
