import { indexOf, indicesOf } from './indices.ts';
import type { NaiveLayer } from './layer.ts';

/** A share of one input in one output, as positions on every axis. */
interface Share {
  readonly output: readonly number[];
  readonly input: readonly number[];
  readonly share: number;
}

/** A layer without weights whose outputs are fixed shares of its inputs. */
function linearLayer(
  className: string,
  options: Readonly<Record<string, unknown>>,
  inputShape: readonly number[],
  outputShape: readonly number[],
  shares: readonly Share[],
): NaiveLayer {
  const size = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);
  const flat = shares.map(({ output, input, share }) => ({ to: indexOf(outputShape, output), from: indexOf(inputShape, input), share }));
  return {
    className,
    config: { name: 'linear', ...options },
    weights: [],
    forward: (x) => {
      const y = new Array<number>(size(outputShape)).fill(0);
      for (const { to, from, share } of flat) y[to] += share * x[from];
      return y;
    },
    backward: (x, g) => {
      const input = new Array<number>(x.length).fill(0);
      for (const { to, from, share } of flat) input[from] += share * g[to];
      return { weights: [], input };
    },
  };
}

/** Before and after each axis of positions. */
type Margins = readonly (readonly [number, number])[];

/**
 * Zeros around the positions of an example.
 *
 * @param inputShape  [..., ch]
 * @param margins  Before and after each axis but the last.
 * @returns  The layer.
 */
export function zeroPaddingLayer(inputShape: readonly number[], margins: Margins): NaiveLayer {
  const outputShape = inputShape.map((extent, axis) => extent + (margins[axis]?.[0] ?? 0) + (margins[axis]?.[1] ?? 0));
  const shares = indicesOf(inputShape).map((input) => ({ input, output: input.map((i, axis) => i + (margins[axis]?.[0] ?? 0)), share: 1 }));
  const padding = margins.length === 1 ? margins[0] : margins;
  return linearLayer(`ZeroPadding${margins.length}D`, { padding }, inputShape, outputShape, shares);
}

/**
 * Positions cut off around an example.
 *
 * @param inputShape  [..., ch]
 * @param margins  Before and after each axis but the last.
 * @returns  The layer.
 */
export function croppingLayer(inputShape: readonly number[], margins: Margins): NaiveLayer {
  const outputShape = inputShape.map((extent, axis) => extent - (margins[axis]?.[0] ?? 0) - (margins[axis]?.[1] ?? 0));
  const shares = indicesOf(outputShape).map((output) => ({
    output,
    input: output.map((i, axis) => i + (margins[axis]?.[0] ?? 0)),
    share: 1,
  }));
  const cropping = margins.length === 1 ? margins[0] : margins;
  return linearLayer(`Cropping${margins.length}D`, { cropping }, inputShape, outputShape, shares);
}

/**
 * Positions repeated, or interpolated from their neighbours before and after.
 *
 * @param inputShape  [..., ch]
 * @param size  How many times as many, for each axis but the last.
 * @param interpolation  Which.
 * @returns  The layer.
 */
export function upSamplingLayer(inputShape: readonly number[], size: readonly number[], interpolation: 'nearest' | 'bilinear'): NaiveLayer {
  const outputShape = inputShape.map((extent, axis) => extent * (size[axis] ?? 1));
  /** Neighbours of an output along one axis, with their shares. */
  const neighbours = (output: number, axis: number): readonly (readonly [number, number])[] => {
    const place = output / (size[axis] ?? 1);
    const lower = Math.floor(place);
    if (interpolation === 'nearest' || place === lower) return [[lower, 1]];
    return [
      [lower, 1 - (place - lower)],
      [Math.min(lower + 1, inputShape[axis] - 1), place - lower],
    ];
  };
  const shares = indicesOf(outputShape).flatMap((output) =>
    output
      .map(neighbours)
      .reduce<{ input: number[]; share: number }[]>(
        (partial, pairs) =>
          partial.flatMap(({ input, share }) => pairs.map(([i, part]) => ({ input: [...input, i], share: share * part }))),
        [{ input: [], share: 1 }],
      )
      .map(({ input, share }) => ({ output, input, share })),
  );
  const options = size.length === 1 ? { size: size[0] } : { size, interpolation };
  return linearLayer(`UpSampling${size.length}D`, options, inputShape, outputShape, shares);
}

/**
 * Axes in another order.
 *
 * @param inputShape  Shape of one example.
 * @param order  For each axis of the output the axis of the input, counted from 0.
 * @returns  The layer.
 */
export function permuteLayer(inputShape: readonly number[], order: readonly number[]): NaiveLayer {
  const outputShape = order.map((axis) => inputShape[axis]);
  const shares = indicesOf(inputShape).map((input) => ({ input, output: order.map((axis) => input[axis]), share: 1 }));
  return linearLayer('Permute', { dims: order.map((axis) => axis + 1) }, inputShape, outputShape, shares);
}

/**
 * A vector repeated to a sequence.
 *
 * @param features  Its size.
 * @param count  How often.
 * @returns  The layer.
 */
export function repeatVectorLayer(features: number, count: number): NaiveLayer {
  const shares = indicesOf([count, features]).map((output) => ({ output, input: [output[1]], share: 1 }));
  return linearLayer('RepeatVector', { n: count }, [features], [count, features], shares);
}

/**
 * A layer that passes its input on: another shape, or a noise layer at inference.
 *
 * @param className  Its class.
 * @param options  Its options.
 * @param size  Elements of one example.
 * @returns  The layer.
 */
export function identityLayer(className: string, options: Readonly<Record<string, unknown>>, size: number): NaiveLayer {
  const shares = indicesOf([size]).map((index) => ({ output: index, input: index, share: 1 }));
  return linearLayer(className, options, [size], [size], shares);
}
