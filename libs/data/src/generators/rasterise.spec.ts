import { describe, expect, it } from 'vitest';
import { drawPolyline, strokeToPolyline } from './rasterise.ts';

const point = (x: number, y: number, corner = false) => ({ x, y, corner });

describe('strokeToPolyline', () => {
  it('passes through every point, and keeps a straight line straight', () => {
    const points = [point(0, 0), point(1, 2), point(3, 1, true), point(4, 4)];
    const line = strokeToPolyline(points);
    expect(line.length).toBe(2 * 22);
    points.forEach(({ x, y }, i) => expect([line[14 * i], line[14 * i + 1]]).toEqual([expect.closeTo(x, 12), expect.closeTo(y, 12)]));
    const straight = strokeToPolyline([point(0, 0), point(1, 1), point(2, 2)]);
    for (let i = 0; i < straight.length; i += 2) expect(straight[i]).toBeCloseTo(straight[i + 1], 12);
  });
});

describe('drawPolyline', () => {
  it('agrees with the distance to the nearest segment, pixel by pixel', () => {
    const line = Float64Array.of(2, 2, 8.5, 3, 5, 8);
    const image = new Float32Array(121);
    drawPolyline(image, 11, line, () => 1.3);
    for (let y = 0; y < 11; y++) {
      for (let x = 0; x < 11; x++) {
        let distance = Infinity;
        for (let s = 0; s < 2; s++) {
          for (let k = 0; k <= 1000; k++) {
            const t = k / 1000;
            distance = Math.min(
              distance,
              Math.hypot(line[2 * s] * (1 - t) + line[2 * s + 2] * t - x, line[2 * s + 1] * (1 - t) + line[2 * s + 3] * t - y),
            );
          }
        }
        expect(image[y * 11 + x]).toBeCloseTo(Math.min(1, Math.max(0, 1.8 - distance)), 2);
      }
    }
  });
});
