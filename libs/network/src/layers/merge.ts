import * as tf from '@tensorflow/tfjs';
import type { Layer, LayerTape, Signal } from './layer.ts';

/** An elementwise function of several inputs of one shape. */
export interface MergeRule {
  readonly forward: (inputs: readonly tf.Tensor[]) => tf.Tensor;
  /** Derivative of each element of the output in the same element of each input; a number where it is constant. */
  readonly derivatives: (inputs: readonly tf.Tensor[], output: tf.Tensor) => (tf.Tensor | number)[];
}

/** The merge layers that work element by element. */
export const MERGE_RULES: Readonly<Record<string, MergeRule>> = {
  Add: { forward: (inputs) => tf.addN([...inputs]), derivatives: (inputs) => inputs.map(() => 1) },
  Subtract: { forward: ([left, right]) => tf.sub(left, right), derivatives: () => [1, -1] },
  Average: {
    forward: (inputs) => tf.div(tf.addN([...inputs]), inputs.length),
    derivatives: (inputs) => inputs.map(() => 1 / inputs.length),
  },
  Multiply: {
    forward: productOf,
    derivatives: (inputs) => inputs.map((_, i) => (inputs.length === 1 ? 1 : productOf(inputs.filter((__, j) => j !== i)))),
  },
  Maximum: { forward: (inputs) => inputs.reduce((most, input) => tf.maximum(most, input)), derivatives: firstEqual },
  Minimum: { forward: (inputs) => inputs.reduce((least, input) => tf.minimum(least, input)), derivatives: firstEqual },
};

/**
 * Add, the residual connection, and the other elementwise merges. Inputs broadcast as in tf.js: where ranks differ, axes of extent 1 are put
 * after the batch axis.
 */
export class Merge implements Layer {
  readonly className: string;
  readonly name: string;
  readonly weights = [];
  readonly #rule: MergeRule;

  /**
   * @param name  Layer name.
   * @param className  A key of {@link MERGE_RULES}.
   */
  constructor(name: string, className: string) {
    this.name = name;
    this.className = className;
    this.#rule = MERGE_RULES[className];
  }

  forward(inputs: readonly tf.Tensor[]): LayerTape {
    if (this.className === 'Subtract' && inputs.length !== 2) throw new Error(`expected two inputs, got ${inputs.length}`);
    return { inputs, output: this.#rule.forward(spread(inputs)), saved: [] };
  }

  backward({ inputs, output }: LayerTape, { gradient, rows }: Signal): tf.Tensor[] {
    return this.#rule.derivatives(spread(inputs), output).map((derivative, i) => {
      const full = typeof derivative === 'number' ? tf.mul(gradient, derivative) : rows.multiply(gradient, derivative);
      const shape = inputs[i].shape.slice(1);
      const padded = [...gradient.shape.slice(1 + shape.length).map(() => 1), ...shape];
      const repeated = padded.flatMap((extent, axis) => (extent === gradient.shape[axis + 1] ? [] : [axis + 1]));
      return tf.reshape(repeated.length > 0 ? tf.sum(full, repeated) : full, [rows.rowCount, ...shape]);
    });
  }
}

/** Inputs of one shape: axes of extent 1 after the batch axis where ranks differ, then repetition. */
function spread(inputs: readonly tf.Tensor[]): tf.Tensor[] {
  const rank = Math.max(...inputs.map((input) => input.rank));
  const padded = inputs.map((input) => {
    const [batch, ...shape] = input.shape;
    return input.rank === rank ? input : tf.reshape(input, [batch, ...new Array<number>(rank - input.rank).fill(1), ...shape]);
  });
  const shape = padded[0].shape.map((_, axis) => Math.max(...padded.map((input) => input.shape[axis])));
  return padded.map((input) => (input.shape.every((extent, axis) => extent === shape[axis]) ? input : tf.broadcastTo(input, shape)));
}

function productOf(inputs: readonly tf.Tensor[]): tf.Tensor {
  return inputs.reduce((product, input) => tf.mul(product, input));
}

/** 1 where an input is the first of those equal to the output, else 0: as in tf.js, the first of equals gets the whole gradient. */
function firstEqual(inputs: readonly tf.Tensor[], output: tf.Tensor): tf.Tensor[] {
  let free: tf.Tensor = tf.onesLike(output);
  return inputs.map((input) => {
    const isFirst = tf.mul(free, tf.cast(tf.equal(input, output), 'float32'));
    free = tf.sub(free, isFirst);
    return isFirst;
  });
}
