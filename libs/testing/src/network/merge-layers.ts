import type { NaiveMergeLayer } from './layer.ts';

type Values = readonly number[];

/** For one element: its value from those of the inputs, and the slopes in them. */
interface ElementwiseRule {
  readonly value: (x: Values) => number;
  readonly slopes: (x: Values) => number[];
}

/** At a tie the first of the equals takes the whole gradient. */
const firstOf = (x: Values, chosen: number): number[] => x.map((_, i) => Number(i === x.indexOf(chosen)));

const RULES = {
  Add: { value: (x) => x.reduce((sum, value) => sum + value, 0), slopes: (x) => x.map(() => 1) },
  Subtract: { value: ([a, b]) => a - b, slopes: () => [1, -1] },
  Average: { value: (x) => x.reduce((sum, value) => sum + value, 0) / x.length, slopes: (x) => x.map(() => 1 / x.length) },
  Multiply: {
    value: (x) => x.reduce((product, value) => product * value, 1),
    slopes: (x) => x.map((_, i) => x.reduce((product, value, j) => (i === j ? product : product * value), 1)),
  },
  Maximum: { value: (x) => Math.max(...x), slopes: (x) => firstOf(x, Math.max(...x)) },
  Minimum: { value: (x) => Math.min(...x), slopes: (x) => firstOf(x, Math.min(...x)) },
} as const satisfies Record<string, ElementwiseRule>;

/**
 * A merge of inputs of one shape, element by element.
 *
 * @param name  Layer name.
 * @param className  Which.
 * @returns  The layer.
 */
export function mergeLayer(name: string, className: keyof typeof RULES): NaiveMergeLayer {
  const { value, slopes }: ElementwiseRule = RULES[className];
  return {
    className,
    config: { name },
    weights: [],
    merge: (inputs) => inputs[0].map((_, i) => value(inputs.map((input) => input[i]))),
    unmerge: (inputs, g) => {
      const all = inputs[0].map((_, i) => slopes(inputs.map((input) => input[i])));
      return { weights: [], inputs: inputs.map((__, k) => g.map((go, i) => go * all[i][k])) };
    },
  };
}

/**
 * Sum of its inputs.
 *
 * @param name  Layer name.
 * @returns  The layer.
 */
export function addLayer(name: string): NaiveMergeLayer {
  return mergeLayer(name, 'Add');
}

/**
 * Inputs side by side on one axis.
 *
 * @param name  Layer name.
 * @param shapes  Shapes of one example of each input; they differ on one axis only.
 * @param axis  Axis of the shapes, from 0.
 * @returns  The layer.
 */
export function concatenateLayer(name: string, shapes: readonly Values[], axis: number): NaiveMergeLayer {
  const sizeOf = (extents: Values): number => extents.reduce((product, extent) => product * extent, 1);
  const inner = sizeOf(shapes[0].slice(axis + 1));
  const outer = sizeOf(shapes[0].slice(0, axis));
  const lengths = shapes.map((shape) => shape[axis] * inner);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const starts = lengths.map((_, i) => lengths.slice(0, i).reduce((sum, length) => sum + length, 0));
  return {
    className: 'Concatenate',
    config: { name, axis: axis + 1 },
    weights: [],
    merge: (inputs) =>
      Array.from({ length: outer }, (_, o) => inputs.map((input, i) => input.slice(o * lengths[i], (o + 1) * lengths[i])).flat()).flat(),
    unmerge: (inputs, g) => ({
      weights: [],
      inputs: inputs.map((input, i) =>
        input.map((_, position) => g[Math.floor(position / lengths[i]) * total + starts[i] + (position % lengths[i])]),
      ),
    }),
  };
}
