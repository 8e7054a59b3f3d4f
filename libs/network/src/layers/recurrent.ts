import * as tf from '@tensorflow/tfjs';
import type { Rows } from '../rows.ts';
import type { ElementwiseActivation } from './activations.ts';
import { columnsAsRows } from './columns.ts';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';
import { patchJacobianColumns, patchSquaredJacobian } from './patch-jacobian.ts';

/** What a recurrent layer does at one step with z = x_t W + h_{t-1} U + b. The first tensor of a state is h. */
export interface RecurrentCell {
  /** Tensors [B, U] of a state. */
  readonly stateCount: number;
  /** The next state, and factors [B, U] of the derivatives, which the backward pass multiplies signals with. */
  step(z: tf.Tensor, state: readonly tf.Tensor[]): { readonly state: tf.Tensor[]; readonly factors: tf.Tensor[] };
  /** Signals [R, U] at a state to that at z, [R, G U], and those at the state before, as far as they do not pass through z; none for h. */
  back(signals: readonly tf.Tensor[], factors: readonly tf.Tensor[], rows: Rows): { readonly dz: tf.Tensor; readonly before: tf.Tensor[] };
}

/** Weights of a recurrent layer: W [I, G U], U [U, G U] and b [G U]. */
export interface RecurrentWeights {
  readonly kernel: tf.Tensor2D;
  readonly recurrentKernel: tf.Tensor2D;
  readonly bias?: tf.Tensor;
}

/** How a recurrent layer runs over a sequence. */
export interface RecurrentOptions {
  /** Output at every step instead of the last one. */
  readonly returnsSequences: boolean;
  /** From the last step to the first. */
  readonly goesBackwards: boolean;
}

/**
 * A recurrent layer over [B, T, I]. The backward pass through time gives the signal at z of every step; with it W is a dense layer applied at T
 * positions to the inputs, and U one applied to the states before:
 *
 *   J[W(i, g), r] = sum_t x[n(r), t, i] dz[r, t, g],  J[U(j, g), r] = sum_t h[n(r), t - 1, j] dz[r, t, g]
 */
export class Recurrent implements Layer {
  readonly className: string;
  readonly name: string;
  readonly weights: readonly Weight[];
  readonly #cell: RecurrentCell;
  readonly #weights: RecurrentWeights;
  readonly #options: RecurrentOptions;

  constructor(className: string, name: string, cell: RecurrentCell, weights: RecurrentWeights, options: RecurrentOptions) {
    this.className = className;
    this.name = name;
    this.#cell = cell;
    this.#weights = weights;
    this.#options = options;
    this.weights = [
      { name: 'kernel', kind: 'kernel', value: weights.kernel },
      { name: 'recurrent_kernel', kind: 'kernel', value: weights.recurrentKernel },
      ...(weights.bias ? [{ name: 'bias', kind: 'bias' as const, value: weights.bias }] : []),
    ];
  }

  /** Saves inputs in the order they are read, states before each step [B, T, U], and the factors of every step. */
  forward(inputs: readonly tf.Tensor[]): LayerTape {
    if (inputs.length !== 1 || inputs[0].rank !== 3) throw new Error('expected one sequence [steps, features]');
    const { kernel, recurrentKernel, bias } = this.#weights;
    const [batch, stepCount, features] = inputs[0].shape as [number, number, number];
    const units = recurrentKernel.shape[0];
    const sequence = this.#inReadingOrder(inputs[0]);
    const fromInput = tf.matMul(tf.reshape(sequence, [batch * stepCount, features]), kernel);
    const shifted = tf.reshape(bias ? tf.add(fromInput, bias) : fromInput, [batch, stepCount, kernel.shape[1]]);

    let state: tf.Tensor[] = Array.from({ length: this.#cell.stateCount }, () => tf.zeros([batch, units]));
    const [before, after, factors]: tf.Tensor[][] = [[], [], []];
    for (const x of tf.unstack(shifted, 1)) {
      before.push(state[0]);
      const next = this.#cell.step(tf.add(x, tf.matMul(state[0], recurrentKernel)), state);
      state = next.state;
      after.push(state[0]);
      factors.push(...next.factors);
    }
    const output = this.#options.returnsSequences ? tf.stack(after, 1) : state[0];
    return { inputs, output, saved: [sequence, tf.stack(before, 1), ...factors] };
  }

  backward(tape: LayerTape, signal: Signal): tf.Tensor[] {
    const dz = this.#throughTime(tape, signal);
    const [rowCount, stepCount, gates] = dz.shape as [number, number, number];
    const { kernel } = this.#weights;
    const back = tf.matMul(tf.reshape(dz, [rowCount * stepCount, gates]), kernel, false, true);
    return [this.#inReadingOrder(tf.reshape(back, [rowCount, stepCount, kernel.shape[0]]))];
  }

  jacobianColumns(weight: string, columns: Int32Array, tape: LayerTape, signal: Signal): tf.Tensor {
    const dz = this.#throughTime(tape, signal);
    if (weight === 'bias') return columnsAsRows(tf.sum(dz, 1), columns);
    return patchJacobianColumns(tape.saved[weight === 'kernel' ? 0 : 1], dz, signal.rows, columns);
  }

  squaredJacobian(weight: string, tape: LayerTape, signal: Signal): tf.Tensor {
    const dz = this.#throughTime(tape, signal);
    if (weight === 'bias') return tf.sum(tf.square(tf.sum(dz, 1)), 0);
    return patchSquaredJacobian(tape.saved[weight === 'kernel' ? 0 : 1], dz, signal.rows);
  }

  /** The signal at every z lives at once. */
  workElements({ saved }: LayerTape): number {
    return (saved[1].shape[1] as number) * this.#weights.kernel.shape[1];
  }

  /** Signals at z of every step in reading order, [R, T, G U]. */
  #throughTime({ saved: [, before, ...factors] }: LayerTape, { gradient, rows }: Signal): tf.Tensor {
    const { recurrentKernel } = this.#weights;
    const [stepCount, units] = [before.shape[1] as number, recurrentKernel.shape[0]];
    const outputs = this.#options.returnsSequences ? tf.unstack(gradient, 1) : [];
    const perStep = factors.length / stepCount;
    const signals: tf.Tensor[] = [];
    let state: tf.Tensor[] = Array.from({ length: this.#cell.stateCount }, () => tf.zeros([rows.rowCount, units]));
    if (!this.#options.returnsSequences) state[0] = gradient;
    for (let t = stepCount - 1; t >= 0; t--) {
      const [fromLater, ...others] = state;
      const dh = this.#options.returnsSequences ? tf.add(outputs[t], fromLater) : fromLater;
      const back = this.#cell.back([dh, ...others], factors.slice(t * perStep, (t + 1) * perStep), rows);
      signals.unshift(back.dz);
      state = [tf.matMul(back.dz, recurrentKernel, false, true), ...back.before];
    }
    return tf.stack(signals, 1);
  }

  #inReadingOrder(sequence: tf.Tensor): tf.Tensor {
    return this.#options.goesBackwards ? tf.reverse(sequence, 1) : sequence;
  }
}

/**
 * h_t = f(z).
 *
 * @param activation  f.
 * @returns  The cell of a simple recurrent layer.
 */
export function simpleCell(activation: ElementwiseActivation): RecurrentCell {
  return {
    stateCount: 1,
    step: (z) => {
      const h = activation.forward(z);
      return { state: [h], factors: [activation.derivative(z, h)] };
    },
    back: ([dh], [slope], rows) => ({ dz: rows.multiply(dh, slope), before: [] }),
  };
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997), with gates in the order input, forget, candidate, output:
 *
 *   c_t = s(z_f) c_{t-1} + s(z_i) f(z_c),  h_t = s(z_o) f(c_t)
 *
 * @param activation  f.
 * @param recurrentActivation  s.
 * @returns  The cell.
 */
export function longShortTermCell(activation: ElementwiseActivation, recurrentActivation: ElementwiseActivation): RecurrentCell {
  return {
    stateCount: 2,
    step: (z, [, before]) => {
      const [zi, zf, zc, zo] = tf.split(z, 4, 1);
      const [input, forget, output] = [zi, zf, zo].map((gate) => recurrentActivation.forward(gate));
      const candidate = activation.forward(zc);
      const c = tf.add(tf.mul(forget, before), tf.mul(input, candidate));
      const squashed = activation.forward(c);
      const factors = [
        tf.mul(output, activation.derivative(c, squashed)), // h in c
        tf.mul(candidate, recurrentActivation.derivative(zi, input)), // c in z_i
        tf.mul(before, recurrentActivation.derivative(zf, forget)), // c in z_f
        tf.mul(input, activation.derivative(zc, candidate)), // c in z_c
        tf.mul(squashed, recurrentActivation.derivative(zo, output)), // h in z_o
        forget, // c in the c before
      ];
      return { state: [tf.mul(output, squashed), c], factors };
    },
    back: ([dh, fromLater], [hInC, cInInput, cInForget, cInCandidate, hInOutput, cInBefore], rows) => {
      const dc = tf.add(fromLater, rows.multiply(dh, hInC));
      const atGates = [cInInput, cInForget, cInCandidate].map((factor) => rows.multiply(dc, factor));
      return { dz: tf.concat([...atGates, rows.multiply(dh, hInOutput)], 1), before: [rows.multiply(dc, cInBefore)] };
    },
  };
}
