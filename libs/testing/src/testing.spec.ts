import { describe, expect, it } from 'vitest';
import {
  diagonalMatrix,
  DOUBLE,
  flat,
  inverse,
  logAbsoluteDeterminant,
  matrixOf,
  positionsApart,
  product,
  testRandom,
  transposed,
} from './index.ts';

describe('toBeAllclose', () => {
  it('allows for the size of the element and of the largest one', () => {
    const tolerance = { relative: 0.1, scaled: 0.01 };
    expect(positionsApart([1.19, 10, 0], [1, 10, 0.09], tolerance)).toEqual([]);
    expect(positionsApart([1.21, 11.2, 0.2], [1, 10, 0.09], tolerance)).toEqual([0, 1, 2]);
  });

  it('never passes NaN or another length', () => {
    expect(() => expect([Number.NaN]).toBeAllclose([Number.NaN])).toThrow('1 of 1 elements differ');
    expect(() => expect([1]).toBeAllclose([1, 1])).toThrow('expected 2 elements, got 1');
    expect(() => expect([1, 2]).toBeAllclose([1, 4])).toThrow('[1] expected 4, got 2, ratio 0.5');
    expect([1, 2]).not.toBeAllclose([1, 4]);
  });
});

describe('naive algebra', () => {
  const a = matrixOf(testRandom(1).normals(36), 6);

  it('inverts: A times its inverse is the identity', () => {
    expect(flat(product(a, inverse(a)))).toBeAllclose(flat(diagonalMatrix([1, 1, 1, 1, 1, 1])), DOUBLE);
  });

  it('has determinants that multiply, with a known one', () => {
    expect(logAbsoluteDeterminant([[4, 2, 1], [2, 5, 3], [1, 3, 6]])).toBeCloseTo(Math.log(67), 12); // prettier-ignore
    expect(logAbsoluteDeterminant(product(a, transposed(a)))).toBeCloseTo(2 * logAbsoluteDeterminant(a), 10);
  });
});

describe('testRandom', () => {
  it('repeats by seed and has the moments of its distributions', () => {
    expect(testRandom(5).normals(3)).toEqual(testRandom(5).normals(3));
    expect(testRandom(5).normals(3)).not.toEqual(testRandom(6).normals(3));
    const draws = testRandom(7).normals(20_000);
    const mean = draws.reduce((total, x) => total + x, 0) / draws.length;
    const square = draws.reduce((total, x) => total + x * x, 0) / draws.length;
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(20_000));
    expect(Math.abs(square - 1)).toBeLessThan(5 * Math.sqrt(2 / 20_000));
    expect([...testRandom(8).subset(4, 4)]).toEqual([0, 1, 2, 3]);
  });
});
