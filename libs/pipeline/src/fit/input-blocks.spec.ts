import { describe, expect, it } from 'vitest';
import { indicesOf, requiredVector, vectorOf } from './input-blocks.ts';

const chunk = (name: string, ...values: number[]): { name: string; shape: number[]; data: Float64Array } => ({
  name,
  shape: [values.length],
  data: Float64Array.from(values),
});

describe('input blocks', () => {
  it('join the chunks of a vector by number, not by name or arrival', () => {
    const blocks = [chunk('score/a/10', 5), chunk('score/a/2', 3, 4), chunk('score/ab/0', 9), chunk('score/a/0', 1, 2)];
    expect(vectorOf(blocks, 'score/a')).toEqual(Float64Array.of(1, 2, 3, 4, 5));
    expect(vectorOf(blocks, 'score/b')).toBeUndefined();
  });

  it('say what is missing', () => {
    expect(() => requiredVector([chunk('score/a/0', 1)], 'score/b')).toThrow("expected 'score/b' among the inputs, got score/a/0");
    expect(() => indicesOf([chunk('indices/0', 1)])).toThrow("expected the subnetwork indices 'indices/0' among the inputs, got none");
  });
});
