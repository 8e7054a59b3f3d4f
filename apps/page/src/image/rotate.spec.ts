import { describe, expect, it } from 'vitest';
import type { Image } from './image.ts';
import { rotate } from './rotate.ts';

const image = (height: number, width: number, pixels: number[], channels = 1): Image => ({
  height,
  width,
  channels,
  pixels: Float32Array.from(pixels),
});

describe('rotate', () => {
  it('turns anticlockwise as seen, exactly by quarters', () => {
    const source = image(2, 2, [1, 2, 3, 4]);
    expect([...rotate(source, 90).pixels]).toEqual([2, 4, 1, 3]);
    expect([...rotate(source, 180).pixels]).toEqual([4, 3, 2, 1]);
    expect([...rotate(source, 270).pixels]).toEqual([3, 1, 4, 2]);
    expect([...rotate(source, 360).pixels]).toEqual([1, 2, 3, 4]);
  });

  it('keeps colours together', () => {
    const source = image(2, 1, [1, 2, 3, 4, 5, 6], 3);
    expect([...rotate(source, 180).pixels]).toEqual([4, 5, 6, 1, 2, 3]);
  });

  it('mixes four neighbours, and takes zeros from outside', () => {
    const pixels = new Array<number>(49).fill(0);
    pixels[24] = 1;
    pixels[25] = 0.5;
    const turned = rotate(image(7, 7, pixels), 30).pixels;
    expect(turned[24]).toBe(1);
    // One to the right of the centre comes from (cos 30, sin 30) = (0.866, 0.5) beside it.
    expect(turned[25]).toBeCloseTo(0.5 * (0.134 * 1 + 0.866 * 0.5), 3);
    const corner = rotate(image(3, 3, [1, 1, 1, 1, 1, 1, 1, 1, 1]), 45).pixels;
    expect(corner[0]).toBeLessThan(0.6);
    expect(corner[4]).toBe(1);
  });
});
