/** Pixels as a model takes them, row-major with channels last, 0 (background) to 1 (ink, or full light). */
export interface Image {
  readonly height: number;
  readonly width: number;
  /** 1: grey. 3: red, green, blue. */
  readonly channels: number;
  /** [height, width, channels] */
  readonly pixels: Float32Array;
}

/**
 * An image without anything on it.
 *
 * @param height  Rows.
 * @param width  Columns.
 * @param channels  1 or 3.
 * @returns  All zeros.
 */
export function blankImage(height: number, width: number, channels: number): Image {
  return { height, width, channels, pixels: new Float32Array(height * width * channels) };
}

/**
 * The negative.
 *
 * @param image  Not changed.
 * @returns  1 minus every value.
 */
export function invert(image: Image): Image {
  return { ...image, pixels: image.pixels.map((value) => 1 - value) };
}

/**
 * The same picture in another number of channels: grey is the luma of ITU-R BT.601, colour from grey is three times the same.
 *
 * @param image  Not changed.
 * @param channels  1 or 3.
 * @returns  The picture with that many channels.
 */
export function withChannels(image: Image, channels: number): Image {
  if (image.channels === channels) return image;
  const count = image.height * image.width;
  const pixels = new Float32Array(count * channels);
  for (let i = 0; i < count; i++) {
    if (channels === 1) pixels[i] = 0.299 * image.pixels[3 * i] + 0.587 * image.pixels[3 * i + 1] + 0.114 * image.pixels[3 * i + 2];
    else pixels.fill(image.pixels[i], 3 * i, 3 * i + 3);
  }
  return { ...image, channels, pixels };
}
