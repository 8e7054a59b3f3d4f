import { expect, it } from 'vitest';
import { relativeDistance } from './frobenius.ts';

it('counts both triangles', () => {
  // [[1, 2, 5], [2, 4, 6], [5, 6, 9]] in tiles of 2, and the same with 5 and 6 one larger.
  const tiles = (a: number, b: number) => [
    { name: 'ggn/0/0', shape: [2, 2], data: Float64Array.of(1, 2, 2, 4) },
    { name: 'ggn/1/0', shape: [1, 2], data: Float64Array.of(a, b) },
    { name: 'ggn/1/1', shape: [1, 1], data: Float64Array.of(9) },
  ];
  const squares = 1 + 4 + 4 + 16 + 2 * (25 + 36) + 81;
  expect(relativeDistance(tiles(6, 7), tiles(5, 6))).toBeCloseTo(Math.sqrt(4 / squares), 12);
  expect(relativeDistance(tiles(5, 6), tiles(5, 6))).toBe(0);
});
