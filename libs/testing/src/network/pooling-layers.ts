import type { NaiveLayer } from './layer.ts';
import { positionCount, visitPlaces, type SlidingGeometry } from './sliding.ts';

/**
 * A pooling layer: the maximum (the first, if several are equal) or the mean of each channel under a window, over the places inside the image.
 *
 * @param kind  Which.
 * @param dimensions  Axes that the window slides along.
 * @param geometry  Window, without dilation; a window as large as the image for a global pooling.
 * @param config  Configuration in a model file, and `className` if it is a global pooling.
 * @param config.className  Class.
 * @param config.options  Options.
 * @returns  The layer.
 */
export function poolingLayer(
  kind: 'Max' | 'Average',
  dimensions: 1 | 2,
  geometry: SlidingGeometry,
  config?: { readonly className: string; readonly options: Readonly<Record<string, unknown>> },
): NaiveLayer {
  const channels = geometry.inputShape[2];
  const axes = (pair: readonly [number, number]): number[] => (dimensions === 2 ? [...pair] : [pair[1]]);
  const options = { pool_size: axes(geometry.kernelSize), strides: axes(geometry.strides), padding: geometry.padding };
  /** For each output, the inputs under its window in order. */
  const windows = Array.from({ length: positionCount(geometry) * channels }, (): number[] => []);
  visitPlaces(geometry, (output, _, input) => {
    for (let c = 0; c < channels; c++) windows[output * channels + c].push(input * channels + c);
  });
  const shares = (x: readonly number[], inputs: readonly number[]): number[] => {
    if (kind === 'Average') return inputs.map(() => 1 / inputs.length);
    const values = inputs.map((i) => x[i]);
    const first = values.indexOf(Math.max(...values));
    return inputs.map((_, i) => Number(i === first));
  };
  return {
    className: config?.className ?? `${kind}Pooling${dimensions}D`,
    config: { name: 'pool', ...(config?.options ?? options) },
    weights: [],
    forward: (x) => windows.map((inputs) => shares(x, inputs).reduce((sum, share, i) => sum + share * x[inputs[i]], 0)),
    backward: (x, g) => {
      const input = new Array<number>(x.length).fill(0);
      windows.forEach((inputs, output) => {
        shares(x, inputs).forEach((share, i) => (input[inputs[i]] += share * g[output]));
      });
      return { weights: [], input };
    },
  };
}
