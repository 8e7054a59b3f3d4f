import type { NaiveLayer, NaiveMergeLayer, TestRandom } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import type { Layer, LayerTape } from '../layers/layer.ts';
import { buildLayer } from '../model/build-layer.ts';
import { WeightTable } from '../model/weights.ts';
import { Rows } from '../rows.ts';

/** Examples and rows per example: enough for a mistake in which row belongs to which example to show. */
const [EXAMPLES, SEEDS] = [3, 2];

/** A layer of one input, or of several. */
type Twin = NaiveLayer | NaiveMergeLayer;

/** Builds what a model file with this layer would be built into. */
function build(twin: Twin): { readonly nodes: Layer[]; readonly table: WeightTable } {
  const stored = [...twin.weights, ...(twin.constants ?? [])];
  const values = Float32Array.from(stored.flatMap((weight) => weight.values));
  const table = new WeightTable(
    stored.map(({ name, shape }) => ({ name, shape: [...shape], dtype: 'float32' })),
    new Uint8Array(values.buffer),
  );
  const name = String(twin.config['name']);
  return { nodes: buildLayer({ name, className: twin.className, config: twin.config, calls: [] }, table), table };
}

/** Output of one example, whose inputs are flat arrays. */
function outputOf(twin: Twin, inputs: readonly number[][]): number[] {
  return 'merge' in twin ? twin.merge(inputs) : twin.forward(inputs[0]);
}

/** Each row's gradients by the twin: in its example's inputs, by position, and in every weight, by name. */
function expectedGradients(
  twin: Twin,
  examples: readonly number[][][],
  signals: readonly number[][],
): ReadonlyMap<string | number, number[][]> {
  const gradients = signals.map((signal, r) => {
    const inputs = examples[Math.floor(r / SEEDS)];
    if ('unmerge' in twin) return twin.unmerge(inputs, signal);
    const { weights, input } = twin.backward(inputs[0], signal);
    return { weights, inputs: [input] };
  });
  const expected = new Map<string | number, number[][]>(
    examples[0].map((_, k) => [k, gradients.map(({ inputs }) => [...inputs[k]])] as const),
  );
  let offset = 0;
  for (const { name, values } of twin.weights) {
    const [from, to] = [offset, offset + values.length];
    expected.set(
      name.slice(name.lastIndexOf('/') + 1),
      gradients.map(({ weights }) => weights.slice(from, to)),
    );
    offset = to;
  }
  return expected;
}

/**
 * Expects a layer, as built from its description in a model file, to agree with its twin on random inputs and signals: outputs, signals at the
 * input, Jacobian rows at all weights, at some and at one, sums of their squares; and to leave no tensor behind.
 *
 * @param random  Where inputs and signals come from.
 * @param twin  The twin.
 * @param inputShape  Shape of one example, or of each of several inputs.
 * @param draw  Draws that many numbers for an input. Default: standard normal.
 */
export function expectAgreement(
  random: TestRandom,
  twin: Twin,
  inputShape: readonly number[] | readonly (readonly number[])[],
  draw: (count: number) => number[] = (count) => random.normals(count),
): void {
  const before = tf.memory().numTensors;
  const { nodes, table } = build(twin);
  const shapes = 'merge' in twin ? (inputShape as readonly (readonly number[])[]) : [inputShape as readonly number[]];
  const examples = Array.from({ length: EXAMPLES }, () =>
    shapes.map((shape) => draw(shape.reduce((size, extent) => size * extent, 1)).map(Math.fround)),
  );
  const outputs = examples.map((example) => outputOf(twin, example));
  const signals = Array.from({ length: EXAMPLES * SEEDS }, () => random.normals(outputs[0].length).map(Math.fround));
  const expected = expectedGradients(twin, examples, signals);
  const at = (key: string | number): number[][] => {
    const rows = expected.get(key);
    if (!rows) throw new Error(`the twin has no weight '${key}'`);
    return rows;
  };

  tf.tidy(() => {
    const tapes: LayerTape[] = [];
    let values: tf.Tensor[] = shapes.map((shape, k) => tf.tensor(examples.flatMap((example) => example[k]), [EXAMPLES, ...shape])); // prettier-ignore
    for (const node of nodes) {
      tapes.push(node.forward(values));
      values = [tapes[tapes.length - 1].output];
    }
    expect(values[0].dataSync(), 'outputs').toBeAllclose(outputs.flat());

    const rows = new Rows(EXAMPLES, SEEDS);
    let gradients: tf.Tensor[] = [tf.tensor(signals.flat(), [rows.rowCount, ...values[0].shape.slice(1)])];
    const visited: string[] = [];
    for (const [index, node] of [...nodes.entries()].reverse()) {
      const [gradient] = gradients;
      for (const weight of node.weights) {
        visited.push(weight.name);
        const size = weight.value.size;
        const selections = [
          Int32Array.from({ length: size }, (_, i) => i),
          random.subset(Math.ceil(size / 4), size),
          Int32Array.of(random.integer(size)),
        ];
        for (const columns of selections) {
          const got = node.jacobianColumns?.(weight.name, columns, tapes[index], { gradient, rows });
          expect(got?.shape, weight.name).toEqual([columns.length, rows.rowCount]);
          expect(got?.dataSync(), weight.name).toBeAllclose([...columns].flatMap((column) => at(weight.name).map((row) => row[column])));
        }
        const squares = node.squaredJacobian?.(weight.name, tapes[index], { gradient, rows });
        expect(squares?.shape, `${weight.name}, squares`).toEqual(weight.value.shape);
        const sums = Array.from({ length: size }, (_, i) => at(weight.name).reduce((sum, row) => sum + row[i] ** 2, 0));
        expect(squares?.dataSync(), `${weight.name}, squares`).toBeAllclose(sums);
      }
      gradients = node.backward(tapes[index], { gradient, rows });
    }
    expect(visited.length).toBe(twin.weights.length);
    for (const [k, shape] of shapes.entries()) {
      expect(gradients[k].shape.slice(1), `signal at input ${k}`).toEqual(shape);
      expect(gradients[k].dataSync(), `signal at input ${k}`).toBeAllclose(at(k).flat());
    }
  });
  tf.dispose(table.tensors);
  expect(tf.memory().numTensors).toBe(before);
}
