import { describe, expect, it } from 'vitest';
import { createRandom, rotateImages, type Dataset } from './index.ts';

const random = createRandom(9);
const images = (height: number, width: number, channels = 1, count = 1): Dataset => ({
  name: 'images',
  count,
  inputShape: [height, width, channels],
  inputs: Float32Array.from({ length: count * height * width * channels }, () => Math.round(255 * random.uniform())),
  targets: { kind: 'none' },
});

/** One pixel at a time, in doubles, straight from the definition: the value of the bilinear surface, 0 outside, at the turned place. */
function naive({ inputs, inputShape: [height, width, channels], count }: Dataset, degrees: number): number[] {
  const value = (n: number, y: number, x: number, c: number): number =>
    y < 0 || y >= height || x < 0 || x >= width ? 0 : inputs[((n * height + y) * width + x) * channels + c];
  const result: number[] = [];
  const radians = (degrees * Math.PI) / 180;
  for (let n = 0; n < count; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c++) {
          // In mathematical axes (v upwards) the source is the output place turned by -degrees.
          const u = x - (width - 1) / 2;
          const v = (height - 1) / 2 - y;
          const sx = (width - 1) / 2 + u * Math.cos(-radians) - v * Math.sin(-radians);
          const sy = (height - 1) / 2 - (u * Math.sin(-radians) + v * Math.cos(-radians));
          const [x0, y0] = [Math.floor(sx), Math.floor(sy)];
          const [fx, fy] = [sx - x0, sy - y0];
          result.push(
            (1 - fy) * ((1 - fx) * value(n, y0, x0, c) + fx * value(n, y0, x0 + 1, c)) +
              fy * ((1 - fx) * value(n, y0 + 1, x0, c) + fx * value(n, y0 + 1, x0 + 1, c)),
          );
        }
      }
    }
  }
  return result;
}

describe('rotateImages', () => {
  it.each([15, 37.5, 90, 120, 165, -30, 400])('agrees with the definition at %s degrees, colour and odd shapes too', (degrees) => {
    for (const dataset of [images(6, 6), images(5, 8, 3, 2), images(1, 1)]) {
      const expected = naive(dataset, degrees);
      rotateImages(dataset, degrees).inputs.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 3));
    }
  });

  it('turns anticlockwise: a pixel on the right goes to the top', () => {
    const dataset = { ...images(3, 3), inputs: Float32Array.of(0, 0, 0, 0, 0, 7, 0, 0, 0) };
    expect(rotateImages(dataset, 90).inputs).toEqual(Float32Array.of(0, 7, 0, 0, 0, 0, 0, 0, 0));
  });

  it('is exact for quarter turns of a square', () => {
    const dataset = images(28, 28, 1, 2);
    const turned = (...angles: number[]) => angles.reduce((image, angle) => rotateImages(image, angle), dataset).inputs;
    for (const angles of [[0], [360], [-720], [90, 90, 90, 90], [180, 180], [90, 270], [90, -90]])
      expect(turned(...angles)).toEqual(dataset.inputs);
    expect(turned(180)).toEqual(turned(90, 90));
    const reversed = Float32Array.from(dataset.inputs.subarray(0, 784)).reverse();
    expect(turned(180).subarray(0, 784)).toEqual(reversed);
  });

  it('fills with 0 what comes from outside, and leaves the source as it was', () => {
    const dataset = { ...images(8, 8), inputs: new Float32Array(64).fill(100) };
    expect(rotateImages(dataset, 45).inputs[0]).toBe(0);
    expect(dataset.inputs[0]).toBe(100);
  });

  it('refuses inputs that are not images', () => {
    expect(() => rotateImages({ ...images(2, 2), inputShape: [4] }, 10)).toThrow(
      'images: expected images [H, W, C] to rotate, got inputs [4]',
    );
  });
});
