/** A window that slides over an image, channels last; a sequence is an image of height one. */
export interface SlidingGeometry {
  /** [H, W, I] */
  readonly inputShape: readonly [number, number, number];
  /** Height and width of the window. */
  readonly kernelSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: 'same' | 'valid' | 'causal';
  readonly dilations: readonly [number, number];
}

/** What a window does to one axis: TensorFlow's rules. */
interface Axis {
  readonly outputs: number;
  /** Input position under a place of the window at an output; it may lie outside. */
  readonly input: (output: number, place: number) => number;
}

function axisOf({ inputShape, kernelSize, strides, padding, dilations }: SlidingGeometry, axis: 0 | 1): Axis {
  const [extent, stride, dilation] = [inputShape[axis], strides[axis], dilations[axis]];
  const reach = (kernelSize[axis] - 1) * dilation;
  if (padding === 'valid') {
    return { outputs: Math.floor((extent - reach - 1) / stride) + 1, input: (output, place) => output * stride + place * dilation };
  }
  const outputs = Math.ceil(extent / stride);
  const before = padding === 'causal' ? reach : Math.floor(Math.max((outputs - 1) * stride + reach + 1 - extent, 0) / 2);
  return { outputs, input: (output, place) => output * stride + place * dilation - before };
}

/**
 * Visits every place of the window at every output position, as far as it lies inside the image.
 *
 * @param geometry  The window.
 * @param each  Called with output position, place of the window and input position, each row-major.
 */
export function visitPlaces(geometry: SlidingGeometry, each: (output: number, place: number, input: number) => void): void {
  const [height, width] = geometry.inputShape;
  const [rows, columns] = [axisOf(geometry, 0), axisOf(geometry, 1)];
  for (let p = 0; p < rows.outputs; p++)
    for (let q = 0; q < columns.outputs; q++)
      for (let ky = 0; ky < geometry.kernelSize[0]; ky++)
        for (let kx = 0; kx < geometry.kernelSize[1]; kx++) {
          const [y, x] = [rows.input(p, ky), columns.input(q, kx)];
          if (y < 0 || y >= height || x < 0 || x >= width) continue;
          each(p * columns.outputs + q, ky * geometry.kernelSize[1] + kx, y * width + x);
        }
}

/**
 * How many positions the window takes.
 *
 * @param geometry  The window.
 * @returns  Output rows times output columns.
 */
export function positionCount(geometry: SlidingGeometry): number {
  return axisOf(geometry, 0).outputs * axisOf(geometry, 1).outputs;
}
