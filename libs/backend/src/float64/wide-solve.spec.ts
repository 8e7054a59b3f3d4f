import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../start-backend.ts';
import { float64 } from './float64.ts';
import { PlainFloat64 } from './plain-float64.ts';

beforeAll(async () => {
  // Two threads, so that wide right-hand sides are cut up.
  await startBackend({ threads: 2 });
});

describe('triangular solve', () => {
  it.each([1, 127, 128, 129, 256])('of %i right-hand sides on two threads is that of plain arithmetic, both ways', (columns) => {
    const size = 20;
    const at = (i: number): number => Math.sin(17 * i + columns);
    const lower = Float64Array.from({ length: size * size }, (_, i) => {
      const [row, column] = [Math.floor(i / size), i % size];
      return column > row ? 0 : column === row ? 2 + at(i) : at(i) / 4;
    });
    const right = Float64Array.from({ length: size * columns }, (_, i) => at(i + 0.5));
    for (const adjoint of [false, true]) {
      const [got, expected] = [float64(), new PlainFloat64()].map((ops) => {
        const [l, b] = [ops.upload(lower, [size, size]), ops.upload(right, [size, columns])];
        const x = ops.triangularSolve(l, b, { adjoint });
        expect(x.shape).toEqual([size, columns]);
        const values = ops.download(x);
        ops.dispose(l, b, x);
        return values;
      });
      expect(Math.max(...got.map((value, i) => Math.abs(value - expected[i])))).toBeLessThan(1e-13);
    }
  });
});
