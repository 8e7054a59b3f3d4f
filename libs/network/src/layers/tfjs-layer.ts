import * as tf from '@tensorflow/tfjs';
import { SublaceError } from '@sublace/errors';
import type { Layer, LayerTape, Signal, Weight, WeightKind } from './layer.ts';

/** Bytes of one layer's Jacobian rows at all its weights that are kept between calls for the same signal. */
const KEPT_BYTES = 256 * 2 ** 20;

/**
 * A layer without a rule of its own here, differentiated by tf.js through the layer's own `call`: signals to its inputs all at once, signals to
 * its weights one row at a time, since tf.js sums the gradient in a weight over a batch. Right, but slow.
 */
export class TfjsLayer implements Layer {
  readonly className: string;
  readonly name: string;
  readonly weights: readonly Weight[];
  readonly #layer: tf.layers.Layer;
  readonly #variables: ReadonlyMap<string, tf.Variable>;
  readonly #kept = new WeakMap<tf.Tensor, ReadonlyMap<string, Float32Array>>();

  /**
   * @param name  Layer name.
   * @param layer  The layer, built, with its weights.
   * @param variables  Its differentiable weights by name, in layout order.
   */
  constructor(name: string, layer: tf.layers.Layer, variables: ReadonlyMap<string, tf.Variable>) {
    this.name = name;
    this.className = layer.getClassName();
    this.#layer = layer;
    this.#variables = variables;
    this.weights = [...variables].map(([weight, value]) => ({ name: weight, kind: kindOf(weight), value }));
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    return { inputs, output: this.#call(inputs), saved: [] };
  }

  backward({ inputs }: LayerTape, { gradient, rows }: Signal): tf.Tensor[] {
    const repeated = inputs.map((input) => rows.repeat(input));
    try {
      return tf.grads((...given: tf.Tensor[]) => this.#call(given))(repeated, gradient);
    } catch (cause) {
      throw notDifferentiable(this.name, this.className, 'its input', cause);
    }
  }

  jacobianColumns(weight: string, columns: Int32Array, tape: LayerTape, signal: Signal): tf.Tensor {
    const { rowCount } = signal.rows;
    const result = new Float32Array(columns.length * rowCount);
    this.#eachRow(weight, tape, signal, (row, values) => {
      for (const [s, column] of columns.entries()) result[s * rowCount + row] = values[column];
    });
    return tf.tensor2d(result, [columns.length, rowCount]);
  }

  squaredJacobian(weight: string, tape: LayerTape, signal: Signal): tf.Tensor {
    const { shape, size } = this.#variableOf(weight);
    const sums = new Float32Array(size);
    this.#eachRow(weight, tape, signal, (_, values) => {
      for (const [i, value] of values.entries()) sums[i] += value * value;
    });
    return tf.tensor(sums, shape);
  }

  /** Visits the gradient of every row in one weight. Those in all weights come out of one pass, and are kept if they are small. */
  #eachRow(weight: string, tape: LayerTape, { gradient, rows }: Signal, visit: (row: number, values: Float32Array) => void): void {
    const { size } = this.#variableOf(weight);
    const kept = this.#kept.get(gradient)?.get(weight);
    if (kept) {
      for (let row = 0; row < rows.rowCount; row++) visit(row, kept.subarray(row * size, (row + 1) * size));
      return;
    }
    const total = [...this.#variables.values()].reduce((sum, variable) => sum + variable.size, 0);
    const isSmall = 4 * total * rows.rowCount <= KEPT_BYTES;
    const variables = isSmall ? this.#variables : new Map([[weight, this.#variableOf(weight)]]);
    const all = new Map([...variables].map(([name, variable]) => [name, new Float32Array(isSmall ? variable.size * rows.rowCount : 0)]));
    for (let row = 0; row < rows.rowCount; row++) {
      const gradients = this.#weightGradients(tape, gradient, row, rows.exampleOf(row), [...variables.values()]);
      for (const [i, name] of [...variables.keys()].entries()) {
        if (name === weight) visit(row, gradients[i]);
        if (isSmall) all.get(name)?.set(gradients[i], row * gradients[i].length);
      }
    }
    if (isSmall) this.#kept.set(gradient, all);
  }

  #weightGradients({ inputs }: LayerTape, gradient: tf.Tensor, row: number, example: number, variables: tf.Variable[]): Float32Array[] {
    return tf.tidy(() => {
      const given = inputs.map((input) => tf.slice(input, example, 1));
      const seed = tf.slice(gradient, row, 1);
      const { grads } = tf.variableGrads(() => tf.sum(tf.mul(this.#call(given), seed)), variables);
      return variables.map(({ name, size }) =>
        Object.hasOwn(grads, name) ? (grads[name].dataSync() as Float32Array) : new Float32Array(size),
      );
    });
  }

  /** The first output, in inference mode. */
  #call(inputs: readonly tf.Tensor[]): tf.Tensor {
    const output = this.#layer.apply(inputs.length === 1 ? inputs[0] : [...inputs], { training: false }) as tf.Tensor | tf.Tensor[];
    return Array.isArray(output) ? output[0] : output;
  }

  #variableOf(weight: string): tf.Variable {
    return this.#variables.get(weight) as tf.Variable;
  }
}

/**
 * The error for a layer that tf.js cannot differentiate.
 *
 * @param name  Layer name.
 * @param className  Its class.
 * @param where  In what it was to be differentiated.
 * @param cause  What tf.js said.
 * @returns  The error.
 */
export function notDifferentiable(name: string, className: string, where: string, cause: unknown): SublaceError {
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
  return new SublaceError('MODEL_UNSUPPORTED', `layer '${name}' (${className}): tf.js cannot differentiate it in ${where}: ${reason}`, {
    cause,
  });
}

function kindOf(weight: string): WeightKind {
  if (weight.endsWith('bias')) return 'bias';
  return /(gamma|beta)$/.test(weight) ? 'normalisation' : 'kernel';
}
