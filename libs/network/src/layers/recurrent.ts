import * as tf from '@tensorflow/tfjs';
import type { Rows } from '../rows.ts';
import { columnsAsRows } from './columns.ts';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';
import { patchJacobianColumns, patchSquaredJacobian } from './patch-jacobian.ts';

/**
 * What a recurrent layer does at one step. It has G gates of U units; x = x_t W + b [B, G U] is what it takes from the input. The first tensor of a
 * state is h, its output.
 */
export interface RecurrentCell {
  /** Tensors [B, U] of a state. */
  readonly stateCount: number;
  /** The next state; what the recurrent kernel was multiplied with, [B, K]; and what the backward pass needs, per example. */
  step(x: tf.Tensor, state: readonly tf.Tensor[]): { readonly state: tf.Tensor[]; readonly read: tf.Tensor; readonly factors: tf.Tensor[] };
  /** Signals at a state, [R, U] each, to those at x, at the product with the recurrent kernel, [R, G U] both, and at the state before. */
  back(
    signals: readonly tf.Tensor[],
    factors: readonly tf.Tensor[],
    rows: Rows,
  ): { readonly atInput: tf.Tensor; readonly atProduct: tf.Tensor; readonly before: tf.Tensor[] };
  /** Which of the K numbers that were read the weight from unit j to gate unit g multiplies. Default: j. */
  readOf?(j: number, g: number): number;
}

/** Weights of a recurrent layer: W [I, G U], U [U, G U] and b, [G U], or [2, G U] with a second row for the product with U. */
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
 * A recurrent layer over [B, T, I]. The backward pass through time gives the signals of every step, with which W is a dense layer applied at T
 * positions to the inputs, and U one applied to the states before (or to what the cell makes of them):
 *
 *   J[W(i, g), r] = sum_t x[n(r), t, i] atInput[r, t, g],  J[U(j, g), r] = sum_t h[n(r), t - 1, j] atProduct[r, t, g]
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

  /** Saves inputs in the order they are read, what the recurrent kernel reads at each step [B, T, K], and the factors of every step. */
  forward(inputs: readonly tf.Tensor[]): LayerTape {
    if (inputs.length !== 1 || inputs[0].rank !== 3) throw new Error('expected one sequence [steps, features]');
    const { kernel, recurrentKernel, bias } = this.#weights;
    const [batch, stepCount, features] = inputs[0].shape as [number, number, number];
    const [units, gates] = recurrentKernel.shape;
    const sequence = this.#inReadingOrder(inputs[0]);
    const product = tf.matMul(tf.reshape(sequence, [batch * stepCount, features]), kernel);
    const shifted = bias ? tf.add(product, tf.slice(tf.reshape(bias, [-1, gates]), 0, 1)) : product;

    let state: tf.Tensor[] = Array.from({ length: this.#cell.stateCount }, () => tf.zeros([batch, units]));
    const [reads, outputs, factors]: tf.Tensor[][] = [[], [], []];
    for (const x of tf.unstack(tf.reshape(shifted, [batch, stepCount, gates]), 1)) {
      const step = this.#cell.step(x, state);
      state = step.state;
      reads.push(step.read);
      outputs.push(state[0]);
      factors.push(...step.factors);
    }
    const output = this.#options.returnsSequences ? tf.stack(outputs, 1) : state[0];
    return { inputs, output, saved: [sequence, tf.stack(reads, 1), ...factors] };
  }

  backward(tape: LayerTape, signal: Signal): tf.Tensor[] {
    const { atInput } = this.#throughTime(tape, signal);
    const [rowCount, stepCount, gates] = atInput.shape as [number, number, number];
    const { kernel } = this.#weights;
    const back = tf.matMul(tf.reshape(atInput, [rowCount * stepCount, gates]), kernel, false, true);
    return [this.#inReadingOrder(tf.reshape(back, [rowCount, stepCount, kernel.shape[0]]))];
  }

  jacobianColumns(weight: string, columns: Int32Array, tape: LayerTape, signal: Signal): tf.Tensor {
    const { atInput, atProduct } = this.#throughTime(tape, signal);
    const [sequence, reads] = tape.saved;
    if (weight === 'kernel') return patchJacobianColumns(sequence, atInput, signal.rows, columns);
    if (weight === 'bias') return columnsAsRows(tf.concat([tf.sum(atInput, 1), tf.sum(atProduct, 1)], 1), columns);
    const gates = this.#weights.recurrentKernel.shape[1];
    const ofReads = columns.map((column) => this.#readOf(column) * gates + (column % gates));
    return patchJacobianColumns(reads, atProduct, signal.rows, ofReads);
  }

  squaredJacobian(weight: string, tape: LayerTape, signal: Signal): tf.Tensor {
    const { atInput, atProduct } = this.#throughTime(tape, signal);
    const [sequence, reads] = tape.saved;
    const { recurrentKernel, bias } = this.#weights;
    if (weight === 'kernel') return patchSquaredJacobian(sequence, atInput, signal.rows);
    if (bias && weight === 'bias') {
      const squares = tf.sum(tf.square(tf.concat([tf.sum(atInput, 1), tf.sum(atProduct, 1)], 1)), 0);
      return tf.reshape(tf.slice(squares, 0, bias.size), bias.shape);
    }
    const gates = recurrentKernel.shape[1];
    const all = tf.reshape(patchSquaredJacobian(reads, atProduct, signal.rows), [-1]); // [K G U]
    const wanted = Int32Array.from({ length: recurrentKernel.size }, (_, i) => this.#readOf(i) * gates + (i % gates));
    return tf.reshape(tf.gather(all, tf.tensor1d(wanted, 'int32')), recurrentKernel.shape);
  }

  /** The signals of all steps live at once. */
  workElements({ saved }: LayerTape): number {
    return 2 * (saved[1].shape[1] as number) * this.#weights.kernel.shape[1];
  }

  /** Position in what was read, of the flat position of a weight in the recurrent kernel. */
  #readOf(weight: number): number {
    const gates = this.#weights.recurrentKernel.shape[1];
    const [j, g] = [Math.floor(weight / gates), weight % gates];
    return this.#cell.readOf?.(j, g) ?? j;
  }

  /** Signals of every step in reading order, [R, T, G U] each. */
  #throughTime({ saved: [, reads, ...factors] }: LayerTape, { gradient, rows }: Signal): { atInput: tf.Tensor; atProduct: tf.Tensor } {
    const [stepCount, units] = [reads.shape[1] as number, this.#weights.recurrentKernel.shape[0]];
    const outputs = this.#options.returnsSequences ? tf.unstack(gradient, 1) : [];
    const perStep = factors.length / stepCount;
    const [atInput, atProduct]: tf.Tensor[][] = [[], []];
    let state: tf.Tensor[] = Array.from({ length: this.#cell.stateCount }, () => tf.zeros([rows.rowCount, units]));
    if (!this.#options.returnsSequences) state[0] = gradient;
    for (let t = stepCount - 1; t >= 0; t--) {
      const [fromLater, ...others] = state;
      const dh = this.#options.returnsSequences ? tf.add(outputs[t], fromLater) : fromLater;
      const back = this.#cell.back([dh, ...others], factors.slice(t * perStep, (t + 1) * perStep), rows);
      atInput.unshift(back.atInput);
      atProduct.unshift(back.atProduct);
      state = back.before;
    }
    return { atInput: tf.stack(atInput, 1), atProduct: tf.stack(atProduct, 1) };
  }

  #inReadingOrder(sequence: tf.Tensor): tf.Tensor {
    return this.#options.goesBackwards ? tf.reverse(sequence, 1) : sequence;
  }
}
