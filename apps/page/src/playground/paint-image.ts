import type { Image } from '../image/image.ts';

/**
 * Paints an image pixel by pixel.
 *
 * @param canvas  Of the image's size in pixels; the style sheet enlarges it.
 * @param image  Grey or colour.
 */
export function paintImage(canvas: HTMLCanvasElement, { height, width, channels, pixels }: Image): void {
  const data = new ImageData(width, height);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) data.data[4 * i + c] = Math.round(255 * pixels[i * channels + (channels === 3 ? c : 0)]);
    data.data[4 * i + 3] = 255;
  }
  canvas.getContext('2d')!.putImageData(data, 0, 0);
}
