/** A point of a curve; NaN in y is a gap. */
export interface CurvePoint {
  readonly x: number;
  readonly y: number;
}

/**
 * An SVG path through points.
 *
 * @param points  In places.
 * @returns  The path; it is interrupted where y is NaN.
 */
export function linePath(points: readonly CurvePoint[]): string {
  let isDown = false;
  let path = '';
  for (const { x, y } of points) {
    if (Number.isNaN(y)) {
      isDown = false;
      continue;
    }
    path += `${isDown ? 'L' : 'M'}${round(x)},${round(y)}`;
    isDown = true;
  }
  return path;
}

/**
 * An SVG path around the area between two curves.
 *
 * @param upper  In places.
 * @param lower  Of the same length, in the same order.
 * @returns  The closed path; empty for fewer than two points.
 */
export function bandPath(upper: readonly CurvePoint[], lower: readonly CurvePoint[]): string {
  if (upper.length < 2) return '';
  return `${linePath(upper)}${linePath(lower.toReversed()).replace('M', 'L')}Z`;
}

/** A tenth of a pixel is more than anybody sees. */
function round(place: number): number {
  return Math.round(place * 10) / 10;
}
