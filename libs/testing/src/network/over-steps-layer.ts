import type { NaiveLayer } from './layer.ts';

/**
 * Another layer at every step of a sequence; its weights are shared by the steps and called as the whole is.
 *
 * @param inner  The layer at one step, of the name that the whole shall have.
 * @param steps  Steps.
 * @returns  The layer.
 */
export function overStepsLayer(inner: NaiveLayer, steps: number): NaiveLayer {
  const split = (values: readonly number[]): number[][] => {
    const size = values.length / steps;
    return Array.from({ length: steps }, (_, t) => values.slice(t * size, (t + 1) * size));
  };
  return {
    className: 'TimeDistributed',
    config: { name: inner.config['name'], layer: { class_name: inner.className, config: inner.config } },
    weights: inner.weights,
    forward: (x) => split(x).flatMap((at) => inner.forward(at)),
    backward: (x, g) => {
      const signals = split(g);
      const parts = split(x).map((at, t) => inner.backward(at, signals[t]));
      const weights = inner.weights.flatMap(({ values }) => values.map(() => 0));
      for (const part of parts) for (const [i, value] of part.weights.entries()) weights[i] += value;
      return { weights, input: parts.flatMap(({ input }) => input) };
    },
  };
}
