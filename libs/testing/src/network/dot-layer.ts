import type { NaiveMergeLayer } from './layer.ts';

/** Shape of a matrix per example, and the axis of it that is summed over. */
export interface DotSide {
  /** [rows, columns], or [length]. */
  readonly shape: readonly number[];
  /** From 0. */
  readonly axis: number;
}

/**
 * Products of two matrices or vectors over one axis of each: z[a, b] = sum_k x[a, k] y[b, k], with vectors along k scaled to length one first
 * if wanted (each squared length counts as 1e-7 at least).
 *
 * @param name  Layer name.
 * @param left  x.
 * @param right  y.
 * @param normalises  Whether vectors are scaled.
 * @returns  The layer.
 */
export function dotLayer(name: string, left: DotSide, right: DotSide, normalises: boolean): NaiveMergeLayer {
  const sides = [left, right].map(({ shape, axis }) => {
    const depth = shape[axis];
    const count = shape.length === 1 ? 1 : shape[1 - axis];
    /** Flat position of element k of vector v. */
    const at = (v: number, k: number): number => (axis === shape.length - 1 ? v * depth + k : k * count + v);
    return { depth, count, at };
  });
  const vectors = (input: readonly number[], { depth, count, at }: (typeof sides)[0]): number[][] =>
    Array.from({ length: count }, (_, v) => Array.from({ length: depth }, (__, k) => input[at(v, k)]));
  const length = (x: readonly number[]): number => Math.sqrt(Math.max(dot(x, x), 1e-7));
  const scaled = (x: readonly number[]): number[] => (normalises ? x.map((value) => value / length(x)) : [...x]);
  /** Gradient in x of g . scaled(x). */
  const unscaled = (x: readonly number[], g: readonly number[]): number[] => {
    if (!normalises) return [...g];
    const y = scaled(x);
    const along = dot(x, x) > 1e-7 ? dot(y, g) : 0;
    return g.map((value, k) => (value - y[k] * along) / length(x));
  };
  return {
    className: 'Dot',
    config: { name, axes: [left.axis + 1, right.axis + 1], normalize: normalises },
    weights: [],
    merge: (inputs) => {
      const [x, y] = inputs.map((input, i) => vectors(input, sides[i]).map(scaled));
      return x.flatMap((a) => y.map((b) => dot(a, b)));
    },
    unmerge: (inputs, g) => {
      const raw = inputs.map((input, i) => vectors(input, sides[i]));
      const unit = raw.map((list) => list.map(scaled));
      const signals = raw.map((list) => list.map((vector) => vector.map(() => 0)));
      for (const [a, x] of unit[0].entries())
        for (const [b, y] of unit[1].entries()) {
          const go = g[a * unit[1].length + b];
          for (const k of x.keys()) {
            signals[0][a][k] += go * y[k];
            signals[1][b][k] += go * x[k];
          }
        }
      const back = inputs.map((input, i) => {
        const result = input.map(() => 0);
        for (const [v, signal] of signals[i].entries())
          for (const [k, value] of unscaled(raw[i][v], signal).entries()) result[sides[i].at(v, k)] = value;
        return result;
      });
      return { weights: [], inputs: back };
    },
  };
}

function dot(x: readonly number[], y: readonly number[]): number {
  return x.reduce((sum, value, k) => sum + value * y[k], 0);
}
