import type { Image } from '../image/image.ts';
import { shrink } from '../image/shrink.ts';

/** No model sees more, and a photograph of a phone has a hundred times as many pixels. */
const sideMax = 1024;

/**
 * Reads a picture file at the size of a model.
 *
 * @param file  Any format that the browser knows.
 * @param height  Rows.
 * @param width  Columns.
 * @param channels  1 or 3.
 * @returns  The picture.
 * @throws Error in words when it is no picture.
 */
export async function readPicture(file: File, height: number, width: number, channels: number): Promise<Image> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error(`${file.name}: expected a picture (PNG, JPEG, WebP, GIF), got a file that this browser cannot read as one`);
  });
  const scale = Math.min(1, sideMax / Math.max(bitmap.width, bitmap.height));
  const [w, h] = [Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale))];
  const canvas = new OffscreenCanvas(w, h);
  const context = canvas.getContext('2d')!;
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, w, h);
  bitmap.close();
  return shrink(context.getImageData(0, 0, w, h), height, width, channels);
}
