import type { TestRandom } from '../random.ts';
import { NAIVE_ACTIVATIONS } from './elementwise-layers.ts';
import { float32Normals, type NaiveLayer, type NaiveWeight } from './layer.ts';

/** Step of the central differences that give gradients. */
const STEP = 1e-6;

/** How a recurrent layer runs. */
export interface RecurrentSizes {
  readonly steps: number;
  readonly features: number;
  readonly units: number;
  readonly returnsSequences: boolean;
  readonly goesBackwards: boolean;
  readonly hasBias: boolean;
  /** Names of {@link NAIVE_ACTIVATIONS}. */
  readonly activation: string;
  /** Of gates. */
  readonly recurrentActivation: string;
  /** GRU: the reset gate comes after the product, which then has a bias of its own. */
  readonly resetsAfter?: boolean;
}

/**
 * A recurrent layer with random weights over [T, I]: SimpleRNN, h_t = f(x_t W + h_{t-1} U + b); LSTM with gates in the order input, forget,
 * candidate, output; or GRU with gates in the order update, reset, candidate. Its gradients are central differences of its definition.
 *
 * @param random  Where from.
 * @param className  Which.
 * @param name  Layer name.
 * @param sizes  Sizes and options.
 * @returns  The layer.
 */
export function randomRecurrent(
  random: TestRandom,
  className: 'SimpleRNN' | 'LSTM' | 'GRU',
  name: string,
  sizes: RecurrentSizes,
): NaiveLayer {
  const { steps, features, units, returnsSequences, goesBackwards, hasBias, activation, recurrentActivation, resetsAfter = false } = sizes;
  const [f, s] = [NAIVE_ACTIVATIONS[activation], NAIVE_ACTIVATIONS[recurrentActivation]];
  const gates = { SimpleRNN: 1, LSTM: 4, GRU: 3 }[className] * units;
  const biasShape = resetsAfter ? [2, gates] : [gates];
  const weights: NaiveWeight[] = [
    { name: `${name}/kernel`, shape: [features, gates], values: float32Normals(random, [features, gates], features) },
    { name: `${name}/recurrent_kernel`, shape: [units, gates], values: float32Normals(random, [units, gates], units) },
    ...(hasBias ? [{ name: `${name}/bias`, shape: biasShape, values: float32Normals(random, biasShape, 4) }] : []),
  ];
  const [kernel, recurrentKernel] = weights.map(({ values }) => values);
  const bias = hasBias ? weights[2].values : new Array<number>(2 * gates).fill(0);

  const forward = (x: readonly number[]): number[] => {
    let h = new Array<number>(units).fill(0);
    let c = new Array<number>(units).fill(0);
    const outputs: number[][] = [];
    for (let step = 0; step < steps; step++) {
      const t = goesBackwards ? steps - 1 - step : step;
      const fromInput = Array.from({ length: gates }, (_, g) => {
        let sum = bias[g];
        for (let i = 0; i < features; i++) sum += x[t * features + i] * kernel[i * gates + g];
        return sum;
      });
      /** (state U)_g */
      const product = (state: readonly number[], g: number): number =>
        state.reduce((sum, value, j) => sum + value * recurrentKernel[j * gates + g], resetsAfter ? bias[gates + g] : 0);
      const before = h;
      const z = fromInput.map((value, g) => value + product(before, g));
      if (className === 'SimpleRNN') {
        h = z.map(f);
      } else if (className === 'LSTM') {
        c = c.map((value, u) => s(z[units + u]) * value + s(z[u]) * f(z[2 * units + u]));
        h = c.map((value, u) => s(z[3 * units + u]) * f(value));
      } else {
        const reset = before.map((_, u) => s(z[units + u]));
        const kept = before.map((value, u) => reset[u] * value);
        h = before.map((value, u) => {
          const g = 2 * units + u;
          const candidate = f(fromInput[g] + (resetsAfter ? reset[u] * product(before, g) : product(kept, g)));
          return s(z[u]) * value + (1 - s(z[u])) * candidate;
        });
      }
      outputs.push(h);
    }
    return returnsSequences ? outputs.flat() : h;
  };
  /** Derivative of g . output when a number of a list changes. */
  const slope = (x: readonly number[], g: readonly number[], list: number[], i: number): number => {
    const value = list[i];
    const at = (changed: number): number => {
      list[i] = changed;
      return forward(x).reduce((sum, output, k) => sum + g[k] * output, 0);
    };
    const difference = at(value + STEP) - at(value - STEP);
    list[i] = value;
    return difference / (2 * STEP);
  };
  return {
    className,
    config: {
      name,
      units,
      activation,
      ...(className !== 'SimpleRNN' && { recurrent_activation: recurrentActivation }),
      ...(className === 'GRU' && { reset_after: resetsAfter }),
      use_bias: hasBias,
      return_sequences: returnsSequences,
      go_backwards: goesBackwards,
      stateful: false,
    },
    weights,
    forward,
    backward: (x, g) => {
      const input = [...x];
      return {
        weights: weights.flatMap(({ values }) => values.map((_, i) => slope(x, g, values, i))),
        input: input.map((_, i) => slope(input, g, input, i)),
      };
    },
  };
}

/**
 * A recurrent layer with random weights in both directions; the steps of the backward one are put back in order, then both are joined feature by
 * feature or added.
 *
 * @param random  Where from.
 * @param className  The recurrent layer.
 * @param name  Layer name.
 * @param sizes  Sizes and options.
 * @param mergeMode  How both are joined.
 * @returns  The layer.
 */
export function randomBidirectional(
  random: TestRandom,
  className: 'SimpleRNN' | 'LSTM' | 'GRU',
  name: string,
  sizes: Omit<RecurrentSizes, 'goesBackwards'>,
  mergeMode: 'concat' | 'sum',
): NaiveLayer {
  const { units, steps, returnsSequences } = sizes;
  const forwards = randomRecurrent(random, className, `${name}/forward_inner`, { ...sizes, goesBackwards: false });
  const backwards = randomRecurrent(random, className, `${name}/backward_inner`, { ...sizes, goesBackwards: true });
  const outputSteps = returnsSequences ? steps : 1;
  /** Position in the output of the backward layer of unit u at a step in order. */
  const inBackwards = (t: number, u: number): number => (outputSteps - 1 - t) * units + u;
  const each = Array.from({ length: outputSteps * units }, (_, i) => [Math.floor(i / units), i % units] as const);
  return {
    className: 'Bidirectional',
    config: { name, merge_mode: mergeMode, layer: { class_name: className, config: { ...forwards.config, name: 'inner' } } },
    weights: [...forwards.weights, ...backwards.weights],
    forward: (x) => {
      const [ahead, back] = [forwards.forward(x), backwards.forward(x)];
      const pairs = each.map(([t, u]) => [ahead[t * units + u], back[inBackwards(t, u)]]);
      if (mergeMode === 'sum') return pairs.map(([a, b]) => a + b);
      return Array.from({ length: outputSteps }, (_, t) => pairs.slice(t * units, (t + 1) * units)).flatMap((step) => [
        ...step.map(([a]) => a),
        ...step.map(([, b]) => b),
      ]);
    },
    backward: (x, g) => {
      const width = mergeMode === 'sum' ? units : 2 * units;
      const [ahead, back] = [each.map(() => 0), each.map(() => 0)];
      for (const [t, u] of each) {
        ahead[t * units + u] = g[t * width + u];
        back[inBackwards(t, u)] = g[t * width + (mergeMode === 'sum' ? u : units + u)];
      }
      const [first, second] = [forwards.backward(x, ahead), backwards.backward(x, back)];
      return { weights: [...first.weights, ...second.weights], input: first.input.map((value, i) => value + second.input[i]) };
    },
  };
}
