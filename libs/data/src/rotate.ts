import { SublaceError } from '@sublace/errors';
import { inputSize, type Dataset } from './dataset.ts';

/**
 * Rotates every image about its centre, anticlockwise as seen, with bilinear interpolation; what comes from outside the image is
 * 0. This is the shift of the rotated-MNIST evaluation (Daxberger et al. 2021, arXiv:2010.14689).
 *
 * @param dataset  Images [H, W, C]. Not changed.
 * @param degrees  Angle; multiples of 90 are exact for square images.
 * @returns  A new data set of the same shapes.
 * @throws SublaceError DATA_INVALID when the inputs are not images.
 */
export function rotateImages(dataset: Dataset, degrees: number): Dataset {
  if (dataset.inputShape.length !== 3) {
    throw new SublaceError(
      'DATA_INVALID',
      `${dataset.name}: expected images [H, W, C] to rotate, got inputs [${dataset.inputShape.join(', ')}]`,
    );
  }
  const [height, width, channels] = dataset.inputShape;
  const taps = rotationTaps(height, width, degrees);
  const size = inputSize(dataset);
  const inputs = new Float32Array(dataset.inputs.length);
  for (let start = 0; start < inputs.length; start += size) {
    for (const { pixel, sources, weights } of taps) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = 0; k < sources.length; k++) sum += weights[k] * dataset.inputs[start + sources[k] * channels + c];
        inputs[start + pixel * channels + c] = sum;
      }
    }
  }
  return { ...dataset, inputs };
}

/** Where one output pixel comes from: up to four source pixels inside the image. */
interface Taps {
  pixel: number;
  sources: number[];
  weights: number[];
}

function rotationTaps(height: number, width: number, degrees: number): Taps[] {
  const { cosine, sine } = cosineAndSine(degrees);
  const [centreY, centreX] = [(height - 1) / 2, (width - 1) / 2];
  const taps: Taps[] = [];
  for (let pixel = 0; pixel < height * width; pixel++) {
    const [dy, dx] = [Math.floor(pixel / width) - centreY, (pixel % width) - centreX];
    // Rows grow downwards, so an anticlockwise turn takes the value at (dx, dy) from the clockwise-turned place.
    const sourceX = centreX + cosine * dx - sine * dy;
    const sourceY = centreY + sine * dx + cosine * dy;
    const [left, top] = [Math.floor(sourceX), Math.floor(sourceY)];
    const tap: Taps = { pixel, sources: [], weights: [] };
    for (const [y, x] of [
      [top, left],
      [top, left + 1],
      [top + 1, left],
      [top + 1, left + 1],
    ]) {
      const weight = (1 - Math.abs(sourceY - y)) * (1 - Math.abs(sourceX - x));
      if (weight === 0 || y < 0 || y >= height || x < 0 || x >= width) continue;
      tap.sources.push(y * width + x);
      tap.weights.push(weight);
    }
    taps.push(tap);
  }
  return taps;
}

function cosineAndSine(degrees: number): { cosine: number; sine: number } {
  const quarters = degrees / 90;
  if (Number.isInteger(quarters)) {
    // Math.cos(Math.PI / 2) is 6e-17; quarter turns are permutations and shall be exact.
    const quarter = ((quarters % 4) + 4) % 4;
    return { cosine: [1, 0, -1, 0][quarter], sine: [0, 1, 0, -1][quarter] };
  }
  const radians = (degrees * Math.PI) / 180;
  return { cosine: Math.cos(radians), sine: Math.sin(radians) };
}
