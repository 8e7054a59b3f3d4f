import { describe, expect, it } from 'vitest';
import { fitToCentre, rasterise, type Drawing } from './drawing.ts';

const line = (points: [number, number][], radius = 0.05): Drawing => [{ points: points.map(([x, y]) => ({ x, y })), radius }];

/** Bounds of the pixels with ink, and their centre of mass, in pixels. */
function measure(drawing: Drawing, side: number): { width: number; height: number; centre: [number, number] } {
  const { pixels } = rasterise(drawing, side, side);
  const inked = [...pixels].flatMap((value, i) => (value > 0.5 ? [i] : []));
  const [xs, ys] = [inked.map((i) => i % side), inked.map((i) => Math.floor(i / side))];
  const total = pixels.reduce((sum, value) => sum + value, 0);
  const mean = (place: (i: number) => number): number => pixels.reduce((sum, value, i) => sum + value * place(i), 0) / total;
  const extent = (values: number[]): number => Math.max(...values) - Math.min(...values) + 1;
  return { width: extent(xs), height: extent(ys), centre: [mean((i) => (i % side) + 0.5), mean((i) => Math.floor(i / side) + 0.5)] };
}

describe('rasterise', () => {
  it('draws a line of the width of the pen, full inside and soft over one pixel at the edge', () => {
    const { pixels } = rasterise(
      line(
        [
          [0.25, 0.5],
          [0.75, 0.5],
        ],
        0.1,
      ),
      20,
      20,
    );
    const column = Array.from({ length: 20 }, (_, y) => pixels[y * 20 + 10]);
    // A pen of radius 2 pixels around y = 10: pixel centres at 8.5 .. 11.5 are within 1.5 of it.
    expect(column.slice(8, 12)).toEqual([1, 1, 1, 1]);
    expect(column[7]).toBeCloseTo(0, 5);
    expect(column[12]).toBeCloseTo(0, 5);
    expect(column.reduce((sum, value) => sum + value, 0)).toBeCloseTo(4, 5);
  });

  it('draws a dot for a line of one point, and nothing for no line', () => {
    expect(rasterise(line([[0.5, 0.5]], 0.2), 9, 9).pixels[40]).toBe(1);
    expect(rasterise([], 5, 5).pixels.every((value) => value === 0)).toBe(true);
  });

  it('does not draw past the edge of the pad', () => {
    const { pixels } = rasterise(
      line([
        [-1, 0.5],
        [2, 0.5],
      ]),
      10,
      10,
    );
    expect(pixels[5 * 10]).toBe(pixels[5 * 10 + 9]);
  });
});

describe('fitToCentre', () => {
  it.each([
    [
      'small, in a corner',
      line(
        [
          [0.1, 0.1],
          [0.1, 0.3],
        ],
        0.03,
      ),
    ],
    [
      'large',
      line(
        [
          [0.05, 0.05],
          [0.95, 0.95],
          [0.9, 0.1],
        ],
        0.04,
      ),
    ],
    [
      'wide',
      line(
        [
          [0.2, 0.8],
          [0.9, 0.85],
        ],
        0.04,
      ),
    ],
  ])('brings a drawing that is %s to 20 of 28 pixels, its centre of mass in the middle', (_, drawing) => {
    const { width, height, centre } = measure(fitToCentre(drawing), 280);
    // A pen that is scaled up stays thin, so the box may come out a little smaller.
    expect(Math.max(width, height)).toBeGreaterThan(170);
    expect(Math.max(width, height)).toBeLessThan(206);
    expect(Math.abs(centre[0] - 140)).toBeLessThan(3);
    expect(Math.abs(centre[1] - 140)).toBeLessThan(3);
  });

  it('moves a dot to the middle, and leaves an empty pad alone', () => {
    const [{ points }] = fitToCentre(line([[0.1, 0.9]]));
    expect(points[0].x).toBeCloseTo(0.5, 2);
    expect(points[0].y).toBeCloseTo(0.5, 2);
    expect(fitToCentre([])).toEqual([]);
  });
});
