import { transposed, type Matrix } from '../dense-algebra.ts';
import type { NaiveNetwork } from './naive-network.ts';

/**
 * Jacobian of a naive network by central differences of its outputs: what checks the twins themselves.
 *
 * @param network  The network; its weights are changed and put back.
 * @param input  One example, flat.
 * @returns  [C, P]
 */
export function differencedJacobian(network: NaiveNetwork, input: readonly number[]): Matrix {
  const columns = network.layers.flatMap((layer) =>
    layer.weights.flatMap(({ values }) =>
      values.map((before, i) => {
        const at = (value: number): number[] => {
          values[i] = value;
          return network.forward(input);
        };
        const [above, below] = [at(before + 1e-5), at(before - 1e-5)];
        values[i] = before;
        return above.map((value, c) => (value - below[c]) / 2e-5);
      }),
    ),
  );
  return transposed(columns);
}
