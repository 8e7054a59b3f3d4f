import type { Image } from './image.ts';

/**
 * Turns an image about its centre, anticlockwise as seen, with bilinear interpolation; what comes from outside is 0. The same shift as that of
 * `sublace evaluate` on rotated images (Daxberger et al. 2021, arXiv:2010.14689).
 *
 * @param image  Not changed.
 * @param degrees  Angle; multiples of 90 are exact for square images.
 * @returns  The turned image, of the same size.
 */
export function rotate(image: Image, degrees: number): Image {
  const { height, width, channels, pixels } = image;
  const [cosine, sine] = cosineAndSine(degrees);
  const [centreY, centreX] = [(height - 1) / 2, (width - 1) / 2];
  const turned = new Float32Array(pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // Rows grow downwards, so an anticlockwise turn takes its value from the place turned clockwise.
      const fromX = centreX + cosine * (x - centreX) - sine * (y - centreY);
      const fromY = centreY + sine * (x - centreX) + cosine * (y - centreY);
      const [left, top] = [Math.floor(fromX), Math.floor(fromY)];
      for (let row = top; row <= top + 1; row++) {
        for (let column = left; column <= left + 1; column++) {
          const weight = (1 - Math.abs(fromY - row)) * (1 - Math.abs(fromX - column));
          if (weight === 0 || row < 0 || row >= height || column < 0 || column >= width) continue;
          for (let c = 0; c < channels; c++)
            turned[(y * width + x) * channels + c] += weight * pixels[(row * width + column) * channels + c];
        }
      }
    }
  }
  return { ...image, pixels: turned };
}

function cosineAndSine(degrees: number): [number, number] {
  const quarters = degrees / 90;
  if (!Number.isInteger(quarters)) {
    const radians = (degrees * Math.PI) / 180;
    return [Math.cos(radians), Math.sin(radians)];
  }
  // Math.cos(Math.PI / 2) is 6e-17; quarter turns are permutations and shall be exact.
  const quarter = ((quarters % 4) + 4) % 4;
  return [[1, 0, -1, 0][quarter], [0, 1, 0, -1][quarter]];
}
