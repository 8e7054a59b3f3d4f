// cspell:words Catmull
import type { StrokePoint } from './digit-strokes.ts';

/** Points of one pen stroke in pixels: x, y, x, y, ... */
export type Polyline = Float64Array;

/** Steps between two points of a stroke; at digit size a step is about a pixel. */
const STEPS = 7;

/**
 * A smooth curve through the points (Catmull-Rom, tangents one-sided at ends and corners), as a polyline in the same units.
 *
 * @param points  At least two.
 * @returns  The polyline.
 */
export function strokeToPolyline(points: readonly StrokePoint[]): Polyline {
  const line = new Float64Array(2 * ((points.length - 1) * STEPS + 1));
  let position = 0;
  for (let i = 0; i + 1 < points.length; i++) {
    const [a, b] = [points[i], points[i + 1]];
    const before = i === 0 || a.corner ? a : points[i - 1];
    const after = i + 2 === points.length || b.corner ? b : points[i + 2];
    for (let step = i === 0 ? 0 : 1; step <= STEPS; step++) {
      const t = step / STEPS;
      line[position++] = catmullRom(before.x, a.x, b.x, after.x, t);
      line[position++] = catmullRom(before.y, a.y, b.y, after.y, t);
    }
  }
  return line;
}

function catmullRom(p0: number, p1: number, p2: number, p3: number, t: number): number {
  return 0.5 * (2 * p1 + t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0))));
}

/**
 * Draws a polyline with a round pen, antialiased: coverage falls from 1 to 0 over one pixel across the edge. Overlaps keep the larger
 * coverage.
 *
 * @param image  [side, side] coverages in 0..1, changed in place.
 * @param side  Pixels per row.
 * @param line  In pixels; pixel centres are at whole numbers.
 * @param radius  Half the pen's width at fraction s in 0..1 of the stroke, pixels.
 */
export function drawPolyline(image: Float32Array, side: number, line: Polyline, radius: (s: number) => number): void {
  const segmentCount = line.length / 2 - 1;
  for (let segment = 0; segment < segmentCount; segment++) {
    const [x0, y0, x1, y1] = line.subarray(2 * segment, 2 * segment + 4);
    const r = radius((segment + 0.5) / segmentCount);
    const reach = r + 0.5;
    const [dx, dy] = [x1 - x0, y1 - y0];
    const squaredLength = dx * dx + dy * dy || 1;
    const yEnd = Math.min(side - 1, Math.floor(Math.max(y0, y1) + reach));
    const xEnd = Math.min(side - 1, Math.floor(Math.max(x0, x1) + reach));
    for (let y = Math.max(0, Math.ceil(Math.min(y0, y1) - reach)); y <= yEnd; y++) {
      for (let x = Math.max(0, Math.ceil(Math.min(x0, x1) - reach)); x <= xEnd; x++) {
        const t = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / squaredLength));
        const [ex, ey] = [x0 + t * dx - x, y0 + t * dy - y];
        const coverage = Math.min(1, reach - Math.sqrt(ex * ex + ey * ey));
        if (coverage > image[y * side + x]) image[y * side + x] = coverage;
      }
    }
  }
}
