import { digitDrawing } from './digit-samples.ts';
import { rasterise, type Drawing } from './drawing.ts';
import { withChannels, type Image } from './image.ts';

/** A picture to start from. */
export interface Sample {
  readonly name: string;
  /** Lines, for the pad; pictures in colour have none. */
  readonly drawing?: Drawing;
  /** At the size of a model. */
  render(height: number, width: number, channels: number): Image;
}

function drawn(name: string, drawing: Drawing): Sample {
  return { name, drawing, render: (height, width, channels) => withChannels(rasterise(drawing, height, width), channels) };
}

/** A picture from a function of the place, x and y in -1..1, to red, green, blue in 0..1. */
function painted(name: string, colour: (x: number, y: number) => readonly [number, number, number]): Sample {
  return {
    name,
    render: (height, width, channels) => {
      const pixels = new Float32Array(height * width * 3);
      for (let i = 0; i < height * width; i++) {
        const [x, y] = [((i % width) + 0.5) * (2 / width) - 1, (Math.floor(i / width) + 0.5) * (2 / height) - 1];
        pixels.set(colour(x, y), 3 * i);
      }
      return withChannels({ height, width, channels: 3, pixels }, channels);
    },
  };
}

const pictures: readonly Sample[] = [
  painted('Disc', (x, y) => (Math.hypot(x, y) < 0.6 ? [0.85, 0.3, 0.25] : [0.25, 0.45, 0.6])),
  painted('Stripes', (x) => (Math.floor((x + 1) * 4) % 2 === 0 ? [0.9, 0.85, 0.6] : [0.2, 0.3, 0.25])),
  painted('Landscape', (x, y) => (y > 0.25 + 0.2 * Math.sin(3 * x) ? [0.25, 0.5, 0.25] : [0.5 - 0.2 * y, 0.7, 0.95])),
];

/**
 * Pictures to start from.
 *
 * @param channels  Of the model's input.
 * @param classCount  Of its answers: ten classes of grey images are most likely digits.
 * @returns  At least one.
 */
export function samplesFor(channels: number, classCount: number): readonly Sample[] {
  if (channels === 1 && classCount === 10) return Array.from({ length: 10 }, (_, digit) => drawn(String(digit), digitDrawing(digit)));
  return pictures;
}
