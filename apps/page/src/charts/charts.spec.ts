import { describe, expect, it } from 'vitest';
import { chartTable, extent, nearestIndex } from './chart-data.ts';
import { bandPath, linePath } from './paths.ts';
import { linearScale, niceEnd, ticks } from './scale.ts';

describe('ticks', () => {
  it.each([
    [0, 1, 2, [0, 0.5, 1]],
    [-5.6, 5.4, 6, [-4, -2, 0, 2, 4]],
    [0, 100, 4, [0, 50, 100]],
    [0.1, 0.3, 2, [0.1, 0.2, 0.3]],
    [3, 3, 5, [3]],
  ])('from %d to %d, about %d: %j', (low, high, count, expected) => expect(ticks(low, high, count)).toEqual(expected));
});

describe('niceEnd', () => {
  it('holds all values, and ends on a round number', () => {
    expect([niceEnd([0.2, NaN, 7.3]), niceEnd([120]), niceEnd([], 5), niceEnd([NaN]), niceEnd([0.00041])]).toEqual([8, 150, 5, 1, 0.0005]);
  });
});

describe('linearScale', () => {
  it('goes both ways, also upside down, and survives a range of nothing', () => {
    const scale = linearScale(0, 10, 200, 0);
    expect(scale.place(2.5)).toBe(150);
    expect(scale.value(150)).toBe(2.5);
    expect(linearScale(3, 3, 0, 10).place(3)).toBe(0);
  });
});

describe('paths', () => {
  it('leave gaps, and close bands', () => {
    const points = [1, NaN, 3, 4].map((y, x) => ({ x, y }));
    expect(linePath(points)).toBe('M0,1M2,3L3,4');
    expect(
      bandPath(
        [
          { x: 0, y: 1 },
          { x: 1, y: 2 },
        ],
        [
          { x: 0, y: 5 },
          { x: 1, y: 6 },
        ],
      ),
    ).toBe('M0,1L1,2L1,6L0,5Z');
    expect(bandPath([{ x: 0, y: 1 }], [{ x: 0, y: 2 }])).toBe('');
  });
});

describe('chartTable', () => {
  it('has the first and the last row, and not more than somebody reads', () => {
    const x = Array.from({ length: 201 }, (_, i) => i);
    const { header, rows } = chartTable(
      {
        xLabel: 'x',
        x,
        series: [{ name: 'mean', values: x, style: '' }],
        bands: [{ name: 'band', lower: x.map((v) => -v), upper: x, style: '' }],
      },
      String,
      (value) => `<${value}>`,
    );
    expect(header).toEqual(['x', 'mean', 'band']);
    expect(rows.length).toBeGreaterThan(40);
    expect(rows.length).toBeLessThanOrEqual(60);
    expect(rows[0]).toEqual(['0', '<0>', '<0> to <0>']);
    expect(rows.at(-1)).toEqual(['200', '<200>', '<-200> to <200>']);
  });
});

describe('nearestIndex and extent', () => {
  it('find what is near, and ignore what is not finite', () => {
    expect([-9, 1.4, 1.6, 99].map((value) => nearestIndex([0, 1, 2, 5], value))).toEqual([0, 1, 2, 3]);
    expect(extent([3, NaN], [-1, Infinity])).toEqual([-1, 3]);
    expect(extent([NaN])).toEqual([0, 1]);
  });
});
