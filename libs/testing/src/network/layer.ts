/** What every layer of a {@link NaiveNetwork} has. */
interface NaiveLayerBase {
  /** How a tf.js LayersModel describes it. */
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Weights in tf.js's order; their values are float32 numbers, so that a float32 model can hold the same ones. */
  readonly weights: readonly NaiveWeight[];
  /** What the model file holds besides, without a derivative: moving statistics. */
  readonly constants?: readonly NaiveWeight[];
}

/** A layer with one input: plain loops over doubles, one example at a time, every array flat and row-major. */
export interface NaiveLayer extends NaiveLayerBase {
  /** Output of one example. */
  forward(input: readonly number[]): number[];
  /** Gradients of g . output in the weights (all of them in order, flat) and in the input. */
  backward(input: readonly number[], g: readonly number[]): { readonly weights: number[]; readonly input: number[] };
}

/** A layer with several inputs. */
export interface NaiveMergeLayer extends NaiveLayerBase {
  /** Output of one example. */
  merge(inputs: readonly (readonly number[])[]): number[];
  /** Gradients of g . output in the weights (all of them in order, flat) and in each input. */
  unmerge(
    inputs: readonly (readonly number[])[],
    g: readonly number[],
  ): { readonly weights: number[]; readonly inputs: readonly (readonly number[])[] };
}

/** A weight tensor. */
export interface NaiveWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: number[];
}

/**
 * Random float32 numbers, with a standard deviation that keeps activations of order one.
 *
 * @param random  Where from.
 * @param random.normals  Standard normal numbers, scaled.
 * @param shape  Extents.
 * @param fanIn  Inputs per output.
 * @returns  The weight's values, flat.
 */
export function float32Normals(
  random: { normals(count: number, scale: number): number[] },
  shape: readonly number[],
  fanIn: number,
): number[] {
  const count = shape.reduce((total, extent) => total * extent, 1);
  return random.normals(count, 1 / Math.sqrt(fanIn)).map(Math.fround);
}
