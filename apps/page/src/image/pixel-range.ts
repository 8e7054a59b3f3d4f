import type { Image } from './image.ts';

/** Raw units in which a model takes its pixels. */
export interface PixelRange {
  readonly low: number;
  readonly high: number;
}

/** The ranges that data sets use. The first is that of the project's own readers (docs/conventions.md). */
export const pixelRanges: readonly PixelRange[] = [
  { low: 0, high: 255 },
  { low: 0, high: 1 },
  { low: -1, high: 1 },
];

/**
 * The range that a model was trained on, from the means and standard deviations of its inputs: pixels that spread over 0..255 cannot have a
 * mean and a deviation near 1, nor the other way round.
 *
 * @param normalisation  Of the inputs in raw units, one per channel or one for all; absent where the model does not normalise.
 * @param normalisation.inputMean  Means.
 * @param normalisation.inputStd  Standard deviations.
 * @returns  One of {@link pixelRanges}; 0..255 where nothing is known.
 */
export function rangeOf(normalisation?: { inputMean?: readonly number[]; inputStd?: readonly number[] }): PixelRange {
  const [bytes, unit, signed] = pixelRanges;
  const { inputMean: means, inputStd: deviations } = normalisation ?? {};
  if (!means?.length || !deviations?.length) return bytes;
  if (Math.max(...means) + Math.max(...deviations) > 2) return bytes;
  return Math.min(...means) < 0 ? signed : unit;
}

/**
 * Pixels in the units of the model.
 *
 * @param images  All of one size.
 * @param range  The units.
 * @returns  [number of images, height, width, channels]
 */
export function toModelUnits(images: readonly Image[], { low, high }: PixelRange): Float32Array {
  const size = images[0].pixels.length;
  const values = new Float32Array(images.length * size);
  images.forEach(({ pixels }, n) => pixels.forEach((value, i) => (values[n * size + i] = low + (high - low) * value)));
  return values;
}
