import type { Dataset, SplitSource } from '../dataset.ts';
import { createRandom, type Random } from '../random.ts';
import { DIGIT_PROTOTYPES, type DigitPrototype } from './digit-strokes.ts';
import { drawPolyline, strokeToPolyline, type Polyline } from './rasterise.ts';

/** How many examples a generator makes, and from which seed. */
export interface GeneratorOptions {
  seed: number;
  /** Number of examples; default: depends on generator and split. */
  count?: number;
}

const SIDE = 28;
const HEIGHT_PIXELS = 19;
const DEFAULT_COUNT = { train: 10_000, test: 2_000 };
/** Streams of the generator, so that no test image repeats the numbers of a training image. */
const STREAM = { train: 1, test: 2 };

/**
 * Handwriting-like digits: 28 x 28 grey images of 10 classes, drawn as pen strokes with control points moved at random, slant, rotation (up to
 * 12 degrees), size, position, pen width and pressure. Image n depends on seed, split and n alone, so a smaller count is a prefix.
 *
 * @param options  Seed and count.
 * @returns  Both parts, [28, 28, 1], whole numbers 0..255, 10,000 and 2,000 images by default.
 */
export function digits({ seed, count }: GeneratorOptions): SplitSource {
  return {
    train: async () => makeDigits(createRandom(seed, STREAM.train), count ?? DEFAULT_COUNT.train),
    test: async () => makeDigits(createRandom(seed, STREAM.test), count ?? DEFAULT_COUNT.test),
  };
}

function makeDigits(random: Random, count: number): Dataset {
  const inputs = new Float32Array(count * SIDE * SIDE);
  const labels = new Int32Array(count);
  for (let n = 0; n < count; n++) {
    labels[n] = random.integer(10);
    const ways = DIGIT_PROTOTYPES[labels[n]];
    drawDigit(random, ways[random.integer(ways.length)], inputs.subarray(n * SIDE * SIDE, (n + 1) * SIDE * SIDE));
  }
  return { name: 'digits', count, inputShape: [SIDE, SIDE, 1], inputs, targets: { kind: 'labels', labels, classCount: 10 } };
}

function drawDigit(random: Random, prototype: DigitPrototype, image: Float32Array): void {
  const lines = placeStrokes(random, prototype);
  const pen = clamp(1.25 * Math.exp(0.25 * random.normal()), 0.7, 2.2);
  for (const line of lines) {
    const [swell, phase] = [0.18 * random.uniform(), 2 * Math.PI * random.uniform()];
    drawPolyline(image, SIDE, line, (s) => pen * (1 + swell * Math.sin(4 * s + phase)));
  }
  const ink = 255 * (0.88 + 0.12 * random.uniform());
  for (let i = 0; i < image.length; i++) {
    if (image[i] > 0) image[i] = Math.round(clamp(ink * image[i] + 8 * random.normal(), 0, 255));
  }
}

/** Strokes in pixels: points moved a little in the unit box, then one affine map for the whole digit. */
function placeStrokes(random: Random, { aspect, strokes }: DigitPrototype): Polyline[] {
  const jitter = 0.025 + 0.055 * random.uniform();
  const lines = strokes.map((stroke) =>
    strokeToPolyline(stroke.map(({ x, y, corner }) => ({ x: x + jitter * random.normal(), y: y + jitter * random.normal(), corner }))),
  );
  const angle = ((24 * random.uniform() - 12) * Math.PI) / 180;
  const slant = clamp(0.12 + 0.18 * random.normal(), -0.35, 0.6);
  const height = HEIGHT_PIXELS * (0.82 + 0.24 * random.uniform());
  const width = height * aspect * Math.exp(0.16 * random.normal());
  const [shiftX, shiftY] = [SIDE / 2 - 0.5 + 1.2 * random.normal(), SIDE / 2 - 0.5 + 1.0 * random.normal()];
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  for (const line of lines) {
    for (let i = 0; i < line.length; i += 2) {
      const y = height * (line[i + 1] - 0.5);
      const x = width * (line[i] - 0.5) - slant * y;
      line[i] = shiftX + cosine * x - sine * y;
      line[i + 1] = shiftY + sine * x + cosine * y;
    }
  }
  return lines;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
