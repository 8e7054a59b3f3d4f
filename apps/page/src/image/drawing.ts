import { blankImage, type Image } from './image.ts';

/** A place on the pad: x to the right and y down, both 0..1. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** One line of the pen, from where it touched the pad to where it left. */
export interface Stroke {
  readonly points: readonly Point[];
  /** Of the pen, as a share of the pad's side. */
  readonly radius: number;
}

/** What was drawn. Kept as lines, not as pixels, so that it can be fitted and drawn at any size without loss. */
export type Drawing = readonly Stroke[];

/** Sizes of MNIST's digits: the larger side fills 20 of 28 pixels; the centre of mass is in the middle. */
const boxShare = 20 / 28;

/**
 * Scales a drawing into the middle of the pad as the digits of MNIST are: its larger side fills 20 / 28 of the pad, its centre of mass is in
 * the middle. A network that was trained on such images knows no others.
 *
 * @param drawing  Not changed.
 * @returns  The fitted drawing; one that is a single point is only moved.
 */
export function fitToCentre(drawing: Drawing): Drawing {
  if (drawing.length === 0) return drawing;
  const box = bounds(drawing);
  const extent = Math.max(box.right - box.left, box.bottom - box.top);
  const isDot = drawing.every(({ points }) => points.every(({ x, y }) => x === points[0].x && y === points[0].y));
  const scale = isDot ? 1 : boxShare / extent;
  const scaled = transform(drawing, ({ x, y }) => ({ x: (x - box.left) * scale, y: (y - box.top) * scale }), scale);
  const mass = centreOfMass(scaled);
  return transform(scaled, ({ x, y }) => ({ x: x - mass.x + 0.5, y: y - mass.y + 0.5 }), 1);
}

function transform(drawing: Drawing, move: (point: Point) => Point, scale: number): Drawing {
  // Thinner than this vanishes between two pixels of a small image.
  return drawing.map(({ points, radius }) => ({ points: points.map(move), radius: Math.max(radius * Math.min(scale, 1.4), 0.03) }));
}

function bounds(drawing: Drawing): { left: number; right: number; top: number; bottom: number } {
  const box = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  for (const { points, radius } of drawing) {
    for (const { x, y } of points) {
      box.left = Math.min(box.left, x - radius);
      box.right = Math.max(box.right, x + radius);
      box.top = Math.min(box.top, y - radius);
      box.bottom = Math.max(box.bottom, y + radius);
    }
  }
  return box;
}

function centreOfMass(drawing: Drawing): Point {
  const side = 56;
  const { pixels } = rasterise(drawing, side, side);
  let [sum, x, y] = [0, 0, 0];
  pixels.forEach((value, i) => {
    sum += value;
    x += value * ((i % side) + 0.5);
    y += value * (Math.floor(i / side) + 0.5);
  });
  return sum === 0 ? { x: 0.5, y: 0.5 } : { x: x / sum / side, y: y / sum / side };
}

/**
 * Draws the lines as a grey image. A pixel's value falls from 1 to 0 over one pixel at the edge of the pen.
 *
 * @param drawing  What was drawn.
 * @param height  Rows; the pad is stretched over the image.
 * @param width  Columns.
 * @returns  The image, one channel.
 */
export function rasterise(drawing: Drawing, height: number, width: number): Image {
  const image = blankImage(height, width, 1);
  for (const { points, radius } of drawing) {
    for (let i = 0; i < Math.max(1, points.length - 1); i++)
      drawSegment(image, points[i], points[Math.min(i + 1, points.length - 1)], radius);
  }
  return image;
}

function drawSegment({ height, width, pixels }: Image, from: Point, to: Point, radius: number): void {
  // In pixels, with the centre of the first one at 0.
  const [ax, ay] = [from.x * width - 0.5, from.y * height - 0.5];
  const [bx, by] = [to.x * width - 0.5, to.y * height - 0.5];
  const pen = radius * Math.min(height, width);
  const reach = pen + 0.5;
  const [left, right] = [Math.max(0, Math.ceil(Math.min(ax, bx) - reach)), Math.min(width - 1, Math.floor(Math.max(ax, bx) + reach))];
  const [top, bottom] = [Math.max(0, Math.ceil(Math.min(ay, by) - reach)), Math.min(height - 1, Math.floor(Math.max(ay, by) + reach))];
  const lengthSquared = (bx - ax) ** 2 + (by - ay) ** 2;
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const along = lengthSquared === 0 ? 0 : ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / lengthSquared;
      const t = Math.min(1, Math.max(0, along));
      const distance = Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
      const value = Math.min(1, Math.max(0, reach - distance));
      if (value > pixels[y * width + x]) pixels[y * width + x] = value;
    }
  }
}
