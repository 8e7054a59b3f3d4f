import type { NaiveLayer } from './layer.ts';

const FUNCTIONS = {
  tanh: { value: Math.tanh, slope: (x: number) => 1 - Math.tanh(x) ** 2 },
  relu: { value: (x: number) => Math.max(x, 0), slope: (x: number) => (x > 0 ? 1 : 0) },
} as const;

/**
 * An elementwise activation.
 *
 * @param name  Layer name.
 * @param activation  Which.
 * @returns  The layer.
 */
export function activationLayer(name: string, activation: keyof typeof FUNCTIONS): NaiveLayer {
  const { value, slope } = FUNCTIONS[activation];
  return {
    className: 'Activation',
    config: { name, activation },
    weights: [],
    forward: (x) => x.map(value),
    backward: (x, g) => ({ weights: [], input: g.map((go, i) => go * slope(x[i])) }),
  };
}

/**
 * Flatten: in flat arrays nothing happens.
 *
 * @param name  Layer name.
 * @returns  The layer.
 */
export function flattenLayer(name: string): NaiveLayer {
  return {
    className: 'Flatten',
    config: { name },
    weights: [],
    forward: (x) => [...x],
    backward: (_, g) => ({ weights: [], input: [...g] }),
  };
}
