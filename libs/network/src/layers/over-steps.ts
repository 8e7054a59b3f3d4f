import * as tf from '@tensorflow/tfjs';
import { Rows } from '../rows.ts';
import type { Layer, LayerTape, Signal, Weight } from './layer.ts';

/** Elements of the Jacobian columns that squares are taken of at a time. */
const BLOCK_ELEMENTS = 2 ** 22;

/** Another layer at every step of a sequence, [B, T, ...]: to it the steps of all examples are examples. Contributions of steps add. */
export class OverSteps implements Layer {
  readonly className: string;
  readonly name: string;
  readonly weights: readonly Weight[];
  readonly #inner: Layer;

  /**
   * @param inner  The layer at one step.
   */
  constructor(inner: Layer) {
    this.#inner = inner;
    this.name = inner.name;
    this.className = inner.className;
    this.weights = inner.weights;
  }

  /** Saves what the inner layer does: its input, its output, and what it saves. */
  forward(inputs: readonly tf.Tensor[]): LayerTape {
    if (inputs.length !== 1 || inputs[0].rank < 3) throw new Error('expected one sequence [steps, ...]');
    const [batch, steps] = inputs[0].shape;
    const inner = this.#inner.forward([tf.reshape(inputs[0], [batch * steps, ...inputs[0].shape.slice(2)])]);
    const output = tf.reshape(inner.output, [batch, steps, ...inner.output.shape.slice(1)]);
    return { inputs, output, saved: [inner.inputs[0], inner.output, ...inner.saved] };
  }

  backward(tape: LayerTape, signal: Signal): tf.Tensor[] {
    const [back] = this.#inner.backward(innerTape(tape), stepSignal(tape, signal));
    const { exampleCount, seedCount, rowCount } = signal.rows;
    const [, steps, ...shape] = tape.inputs[0].shape;
    const size = shape.reduce((product, extent) => product * extent, 1);
    const byRow = tf.transpose(tf.reshape(back, [exampleCount, steps, seedCount, size]), [0, 2, 1, 3]);
    return [tf.reshape(byRow, [rowCount, steps, ...shape])];
  }

  /** The inner layer's columns, summed over the steps; some at a time, since it makes one for each step. */
  jacobianColumns(weight: string, columns: Int32Array, tape: LayerTape, signal: Signal): tf.Tensor {
    const inner = innerTape(tape);
    const atSteps = stepSignal(tape, signal);
    const { exampleCount, seedCount, rowCount } = signal.rows;
    return tf.concat(
      this.#inBlocks(columns, atSteps.rows.rowCount, (some) => {
        if (!this.#inner.jacobianColumns) throw new Error(`layer '${this.name}' has no weights`);
        const all = this.#inner.jacobianColumns(weight, some, inner, atSteps); // [s, B T C]
        return tf.reshape(tf.sum(tf.reshape(all, [some.length, exampleCount, -1, seedCount]), 2), [some.length, rowCount]);
      }),
    );
  }

  /** Steps are summed before they are squared. */
  squaredJacobian(weight: string, tape: LayerTape, signal: Signal): tf.Tensor {
    const { value } = this.weights.find(({ name }) => name === weight) as Weight;
    const all = Int32Array.from({ length: value.size }, (_, i) => i);
    const blocks = this.#inBlocks(all, signal.rows.rowCount, (columns) =>
      tf.sum(tf.square(this.jacobianColumns(weight, columns, tape, signal)), 1),
    );
    return tf.reshape(tf.concat(blocks), value.shape);
  }

  #inBlocks(columns: Int32Array, rowCount: number, each: (some: Int32Array) => tf.Tensor): tf.Tensor[] {
    const width = Math.max(1, Math.floor(BLOCK_ELEMENTS / rowCount));
    const blocks: tf.Tensor[] = [];
    for (let start = 0; start < columns.length; start += width) {
      blocks.push(tf.tidy(() => each(columns.subarray(start, start + width))));
    }
    return blocks;
  }
}

function innerTape({ saved: [input, output, ...saved] }: LayerTape): LayerTape {
  return { inputs: [input], output, saved };
}

/** Rows (example, seed) of whole sequences as rows (example, step, seed) of single steps. */
function stepSignal({ output }: LayerTape, { gradient, rows }: Signal): Signal {
  const { exampleCount, seedCount } = rows;
  const [, steps, ...shape] = output.shape;
  const size = shape.reduce((product, extent) => product * extent, 1);
  const byStep = tf.transpose(tf.reshape(gradient, [exampleCount, seedCount, steps, size]), [0, 2, 1, 3]);
  const stepRows = new Rows(exampleCount * steps, seedCount);
  return { gradient: tf.reshape(byStep, [stepRows.rowCount, ...shape]), rows: stepRows };
}
