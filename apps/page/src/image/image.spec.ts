import { describe, expect, it } from 'vitest';
import { blankImage, invert, withChannels } from './image.ts';
import { pixelRanges, rangeOf, toModelUnits } from './pixel-range.ts';
import { shrink } from './shrink.ts';

describe('withChannels', () => {
  it('weighs colours by brightness, and repeats grey', () => {
    const red = withChannels({ ...blankImage(1, 2, 3), pixels: Float32Array.of(1, 0, 0, 1, 1, 1) }, 1);
    expect(red.pixels[0]).toBeCloseTo(0.299, 6);
    expect(red.pixels[1]).toBeCloseTo(1, 6);
    expect([...withChannels({ ...blankImage(1, 2, 1), pixels: Float32Array.of(0.25, 1) }, 3).pixels]).toEqual([0.25, 0.25, 0.25, 1, 1, 1]);
  });
});

describe('rangeOf', () => {
  it('tells bytes, 0..1 and -1..1 apart by mean and deviation', () => {
    expect(rangeOf({ inputMean: [33.3], inputStd: [78.6] })).toEqual({ low: 0, high: 255 }); // MNIST
    expect(rangeOf({ inputMean: [0.1307], inputStd: [0.3081] })).toEqual({ low: 0, high: 1 });
    expect(rangeOf({ inputMean: [-0.02, 0.1, 0.2], inputStd: [0.5, 0.5, 0.5] })).toEqual({ low: -1, high: 1 });
  });

  it('takes bytes, as the readers do, where nothing is known', () => {
    expect(rangeOf()).toBe(pixelRanges[0]);
    expect(rangeOf({ inputMean: [], inputStd: [] })).toBe(pixelRanges[0]);
  });
});

describe('toModelUnits', () => {
  it('scales every image of a batch', () => {
    const image = { ...blankImage(1, 3, 1), pixels: Float32Array.of(0, 0.5, 1) };
    expect([...toModelUnits([image, invert(image)], { low: -1, high: 3 })]).toEqual([-1, 1, 3, 3, 1, -1]);
  });
});

describe('shrink', () => {
  const source = (width: number, height: number, colour: (x: number, y: number) => number[]) => ({
    width,
    height,
    data: Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => colour((i >> 2) % width, Math.floor((i >> 2) / width))[i % 4]),
  });

  it('averages over areas, also where they do not come out even', () => {
    const stripes = source(6, 6, (x) => (x % 2 === 0 ? [255, 255, 255, 255] : [0, 0, 0, 255]));
    for (const value of shrink(stripes, 3, 3, 1).pixels) expect(value).toBeCloseTo(0.5, 5);
    // Columns of 1.5 pixels: white, half black; half black, white.
    const third = source(3, 3, (x) => (x === 1 ? [0, 0, 0, 255] : [255, 255, 255, 255]));
    for (const value of shrink(third, 2, 2, 1).pixels) expect(value).toBeCloseTo(2 / 3, 5);
  });

  it('cuts the middle out of a picture of other proportions', () => {
    const wide = source(6, 2, (x) => (x < 2 || x > 3 ? [255, 0, 0, 255] : [0, 0, 255, 255]));
    expect([...shrink(wide, 1, 1, 3).pixels]).toEqual([0, 0, 1]);
  });

  it('shows what is transparent as white', () => {
    expect([
      ...shrink(
        source(2, 2, () => [0, 0, 0, 0]),
        1,
        1,
        3,
      ).pixels,
    ]).toEqual([1, 1, 1]);
  });
});
