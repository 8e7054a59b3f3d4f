import type { TestRandom } from '../random.ts';
import { float32Normals, type NaiveLayer } from './layer.ts';
import { randomProducts } from './products-layer.ts';

/**
 * y_o = b_o + sum_i x_i W_io, with given weights.
 *
 * @param name  Layer name.
 * @param kernel  W, [I, O] row-major.
 * @param bias  b, [O]
 * @returns  The layer.
 */
export function denseLayer(name: string, kernel: readonly number[], bias: readonly number[]): NaiveLayer {
  const outputs = bias.length;
  const inputs = kernel.length / outputs;
  const [w, b] = [[...kernel], [...bias]];
  return {
    className: 'Dense',
    config: { name, units: outputs, activation: 'linear', use_bias: true },
    weights: [
      { name: `${name}/kernel`, shape: [inputs, outputs], values: w },
      { name: `${name}/bias`, shape: [outputs], values: b },
    ],
    forward: (x) => b.map((start, o) => x.reduce((total, value, i) => total + value * w[i * outputs + o], start)),
    backward: (x, g) => ({
      weights: [...x.flatMap((value) => g.map((go) => value * go)), ...g],
      input: x.map((_, i) => g.reduce((total, go, o) => total + w[i * outputs + o] * go, 0)),
    }),
  };
}

/**
 * A dense layer with random weights.
 *
 * @param random  Where from.
 * @param name  Layer name.
 * @param inputs  I.
 * @param outputs  O.
 * @returns  The layer.
 */
export function randomDense(random: TestRandom, name: string, inputs: number, outputs: number): NaiveLayer {
  return denseLayer(name, float32Normals(random, [inputs, outputs], inputs), float32Normals(random, [outputs], 4));
}

/**
 * A dense layer with random weights, applied at every position of a sequence: y[q, o] = b_o + sum_i x[q, i] W_io.
 *
 * @param random  Where from.
 * @param name  Layer name.
 * @param positions  Positions, of one axis or several.
 * @param inputs  I.
 * @param outputs  O.
 * @param hasBias  Whether there is a bias.
 * @returns  The layer.
 */
export function randomSequenceDense(
  random: TestRandom,
  name: string,
  positions: number,
  inputs: number,
  outputs: number,
  hasBias = true,
): NaiveLayer {
  return randomProducts(random, {
    className: 'Dense',
    config: { name, units: outputs },
    kernelShape: [inputs, outputs],
    fanIn: inputs,
    biasCount: hasBias ? outputs : 0,
    outputCount: positions * outputs,
    visit: (each) => {
      for (let q = 0; q < positions; q++)
        for (let i = 0; i < inputs; i++) for (let o = 0; o < outputs; o++) each(q * outputs + o, i * outputs + o, q * inputs + i);
    },
  });
}
