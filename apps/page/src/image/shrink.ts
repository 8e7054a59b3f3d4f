import { withChannels, type Image } from './image.ts';

/** Pixels as a canvas gives them: red, green, blue, opacity, each 0..255. */
export interface RgbaPixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray | Uint8Array;
}

/**
 * Brings a picture to the size of a model: cuts the largest piece of the model's proportions out of its middle, and averages it over areas, so
 * that thin lines become pale rather than lost. What is transparent is white, as on a page.
 *
 * @param source  The picture.
 * @param height  Rows.
 * @param width  Columns.
 * @param channels  1 or 3.
 * @returns  The picture in that size.
 */
export function shrink(source: RgbaPixels, height: number, width: number, channels: number): Image {
  const cell = Math.min(source.width / width, source.height / height);
  const left = (source.width - cell * width) / 2;
  const top = (source.height - cell * height) / 2;
  const columns = Array.from({ length: width }, (_, x) => overlaps(left + x * cell, cell, source.width));
  const rows = Array.from({ length: height }, (_, y) => overlaps(top + y * cell, cell, source.height));
  const pixels = new Float32Array(height * width * 3);
  rows.forEach((row, y) =>
    columns.forEach((column, x) => {
      for (const { index: v, share: vertical } of row) {
        for (const { index: u, share: horizontal } of column) {
          const from = 4 * (v * source.width + u);
          const opacity = source.data[from + 3] / 255;
          for (let c = 0; c < 3; c++)
            pixels[3 * (y * width + x) + c] += vertical * horizontal * (opacity * (source.data[from + c] / 255) + 1 - opacity);
        }
      }
    }),
  );
  return withChannels({ height, width, channels: 3, pixels }, channels);
}

/** The source pixels under a cell, and which share of it each covers. */
function overlaps(start: number, size: number, count: number): { index: number; share: number }[] {
  const end = start + size;
  const first = Math.max(0, Math.floor(start + 1e-9));
  const last = Math.min(count - 1, Math.ceil(end - 1e-9) - 1);
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const index = first + i;
    return { index, share: (Math.min(end, index + 1) - Math.max(start, index)) / size };
  });
}
