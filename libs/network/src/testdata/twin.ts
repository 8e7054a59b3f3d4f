import type { NaiveLayer, TestRandom } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import type { Layer, LayerTape } from '../layers/layer.ts';
import { buildLayer } from '../model/build-layer.ts';
import { WeightTable } from '../model/weights.ts';
import { Rows } from '../rows.ts';

/** Examples and rows per example: enough for a mistake in which row belongs to which example to show. */
const [EXAMPLES, SEEDS] = [3, 2];

/** Builds what a model file with this layer would be built into. */
function build(twin: NaiveLayer): { readonly nodes: Layer[]; readonly table: WeightTable } {
  const stored = [...twin.weights, ...(twin.constants ?? [])];
  const values = Float32Array.from(stored.flatMap((weight) => weight.values));
  const table = new WeightTable(
    stored.map(({ name, shape }) => ({ name, shape: [...shape], dtype: 'float32' })),
    new Uint8Array(values.buffer),
  );
  const name = String(twin.config['name']);
  return { nodes: buildLayer({ name, className: twin.className, config: twin.config, calls: [] }, table), table };
}

/** Each row's gradients by the twin: at its example's input, and in every weight, by name. */
function expectedGradients(twin: NaiveLayer, examples: readonly number[][], signals: readonly number[][]): ReadonlyMap<string, number[][]> {
  const gradients = signals.map((signal, r) => twin.backward(examples[Math.floor(r / SEEDS)], signal));
  const expected = new Map([['input', gradients.map(({ input }) => input)]]);
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
 * @param inputShape  Shape of one example.
 */
export function expectAgreement(random: TestRandom, twin: NaiveLayer, inputShape: readonly number[]): void {
  const before = tf.memory().numTensors;
  const { nodes, table } = build(twin);
  const normals = (count: number): number[] => random.normals(count).map(Math.fround);
  const examples = Array.from({ length: EXAMPLES }, () => normals(inputShape.reduce((size, extent) => size * extent, 1)));
  const outputs = examples.map((example) => twin.forward(example));
  const signals = Array.from({ length: EXAMPLES * SEEDS }, () => normals(outputs[0].length));
  const expected = expectedGradients(twin, examples, signals);
  const at = (name: string): number[][] => {
    const rows = expected.get(name);
    if (!rows) throw new Error(`the twin has no weight '${name}'`);
    return rows;
  };

  tf.tidy(() => {
    const tapes: LayerTape[] = [];
    let value: tf.Tensor = tf.tensor(examples.flat(), [EXAMPLES, ...inputShape]);
    for (const node of nodes) {
      tapes.push(node.forward([value]));
      value = tapes[tapes.length - 1].output;
    }
    expect(value.dataSync(), 'outputs').toBeAllclose(outputs.flat());

    const rows = new Rows(EXAMPLES, SEEDS);
    let gradient: tf.Tensor = tf.tensor(signals.flat(), [rows.rowCount, ...value.shape.slice(1)]);
    const visited: string[] = [];
    for (const [index, node] of [...nodes.entries()].reverse()) {
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
      gradient = node.backward(tapes[index], { gradient, rows })[0];
    }
    expect(visited.length).toBe(twin.weights.length);
    expect(gradient.shape.slice(1), 'signal at the input').toEqual(inputShape);
    expect(gradient.dataSync(), 'signal at the input').toBeAllclose(at('input').flat());
  });
  tf.dispose(table.tensors);
  expect(tf.memory().numTensors).toBe(before);
}
