import type { Drawing, Point } from './drawing.ts';

/** Of the pen, as a share of the pad's side. */
const radius = 0.048;

/** The ten digits as lines through points on a pad of 100 x 100, drawn as smooth curves; `|` marks a corner, a new line starts where the pen was lifted. */
const digits: readonly string[][] = [
  ['52,18 36,24 28,42 28,60 36,78 50,82 64,77 72,60 71,40 64,23 52,18'],
  ['40,32 | 53,18 | 52,50 51,82'],
  ['31,34 36,22 50,17 64,23 67,37 58,53 43,68 31,80 | 50,80 70,79'],
  ['33,24 46,17 61,20 67,32 60,44 47,48 | 62,53 69,66 61,79 46,83 31,77'],
  ['58,17 44,37 29,58 | 50,58 74,57', '60,38 59,60 57,84'],
  ['66,19 52,19 37,20 | 36,33 34,46 | 48,42 63,47 69,62 62,77 48,83 31,78'],
  ['60,17 45,31 35,49 33,66 40,79 52,82 64,76 67,64 60,54 48,53 38,60'],
  ['30,21 50,20 70,20 | 60,38 51,58 45,82'],
  ['62,27 50,18 38,24 38,36 50,46 62,57 65,71 51,82 36,73 38,58 50,47 61,37 62,27'],
  ['66,33 58,21 45,19 35,30 38,43 50,47 61,42 66,32 | 65,48 62,66 56,83'],
];

/**
 * Digits drawn by code.
 *
 * @param digit  0..9.
 * @returns  The drawing.
 */
export function digitDrawing(digit: number): Drawing {
  return digits[digit].map((line) => {
    // A corner ends one curve and starts the next at the same point.
    const curves: Point[][] = [];
    let last: Point[] = [];
    for (const part of line.split('|')) {
      const points = part.trim().split(' ').map(pointOf);
      const curve = [...last, ...points];
      curves.push(smooth(curve));
      last = [curve[curve.length - 1]];
    }
    return { points: curves.flat(), radius };
  });
}

function pointOf(text: string): Point {
  const [x, y] = text.split(',').map(Number);
  return { x: x / 100, y: y / 100 };
}

/** A Catmull-Rom curve through the points. */
function smooth(points: readonly Point[]): Point[] {
  const at = (i: number): Point => points[Math.min(points.length - 1, Math.max(0, i))];
  const steps = 8;
  const curve = [points[0]];
  for (let i = 0; i + 1 < points.length; i++) {
    const [before, from, to, after] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    for (let k = 1; k <= steps; k++) {
      const t = k / steps;
      const mix = (a: number, b: number, c: number, d: number): number =>
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t ** 2 + (3 * b - a - 3 * c + d) * t ** 3);
      curve.push({ x: mix(before.x, from.x, to.x, after.x), y: mix(before.y, from.y, to.y, after.y) });
    }
  }
  return curve;
}
