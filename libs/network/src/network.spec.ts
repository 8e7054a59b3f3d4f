import { startBackend } from '@sublace/backend';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { Rows, loadNetwork, type Network } from './index.ts';
import { filesOf, randomiseWeights } from './testdata/layers-models.ts';
import { CASES } from './testdata/cases.ts';
import { GRAPH_CASES } from './testdata/graph-cases.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** Largest difference relative to the largest expected entry. */
function scaledError(got: Float32Array, expected: Float32Array): number {
  let [difference, scale] = [got.length === expected.length ? 0 : Infinity, 1e-30];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(got[i] - expected[i]));
    scale = Math.max(scale, Math.abs(expected[i]));
  }
  return difference / scale;
}

/** Float32 through a few layers. */
const TOLERANCE = 2e-5;

/**
 * The oracle: tf.js differentiates its own layers, one example and one output at a time, where it can on its plain JavaScript backend, which
 * shares no kernel with the others. Rows of the Jacobian in the network's layout, [B C][P].
 */
function jacobianByTfjs(model: tf.LayersModel, network: Network, inputs: tf.Tensor[], outputs: number): Float32Array[] {
  const rows: Float32Array[] = [];
  for (let n = 0; n < inputs[0].shape[0]; n++) {
    const example = inputs.map((input) => tf.slice(input, n, 1));
    for (let c = 0; c < outputs; c++) {
      const { grads } = tf.variableGrads(() => {
        const output = tf.reshape(model.apply(example.length === 1 ? example[0] : example, { training: false }) as tf.Tensor, [-1]);
        return tf.sum(tf.slice(output, [c], [1])) as tf.Scalar;
      });
      const row = new Float32Array(network.layout.size);
      for (const { layer, weight, offset } of network.layout.entries) {
        const name = Object.keys(grads).find((key) => key.startsWith(`${layer}/${weight}`));
        if (!name) throw new Error(`no gradient of ${layer}/${weight} among ${Object.keys(grads).join(', ')}`);
        row.set(grads[name].dataSync(), offset);
      }
      rows.push(row);
      tf.dispose(grads);
    }
    tf.dispose(example);
  }
  return rows;
}

/** Random examples for each input of a model, and the same side by side in the network's one input. */
function randomInputs(model: tf.LayersModel, batch: number, vocabulary?: number): { given: tf.Tensor[]; joined: tf.Tensor } {
  const given = model.inputs.map(({ shape }, i) => {
    const example = shape.slice(1) as number[];
    if (vocabulary !== undefined) return tf.floor(tf.randomUniform([batch, ...example], 0, vocabulary, 'float32', 11 + i));
    return tf.randomNormal([batch, ...example], 0, 1, 'float32', 11 + i);
  });
  if (given.length === 1) return { given, joined: tf.clone(given[0]) };
  return {
    given,
    joined: tf.tidy(() =>
      tf.concat(
        given.map((input) => tf.reshape(input, [batch, -1])),
        1,
      ),
    ),
  };
}

describe.each([...CASES, ...GRAPH_CASES])('$name', ({ build, vocabulary, oracle = 'cpu' }) => {
  it('agrees with tf.js: outputs, Jacobian rows at every weight, and their summed squares', async (context) => {
    const running = tf.getBackend();
    if (oracle !== 'cpu' && oracle !== running) context.skip(`needs the native runtime's gradient`);
    const model = build();
    randomiseWeights(model, 7);
    const network = loadNetwork(await filesOf(model));
    const [batch, classes] = [3, network.outputCount];
    const { given, joined: inputs } = randomInputs(model, batch, vocabulary);

    const expectedOutputs = model.predict(given) as tf.Tensor;
    const outputs = network.forward(inputs);
    expect(scaledError(outputs.dataSync() as Float32Array, expectedOutputs.dataSync() as Float32Array)).toBeLessThan(TOLERANCE);

    await tf.setBackend(oracle);
    const expected = jacobianByTfjs(model, network, given, classes);
    await tf.setBackend(running);
    const before = tf.memory().numTensors;
    const rows = new Rows(batch, classes);
    const seeds = tf.tidy(() => tf.tile(tf.eye(classes), [batch, 1]));
    const tape = network.record(inputs);
    const layers = new Set(network.layout.entries.map((entry) => entry.layer));
    const seen = new Set<string>();
    network.backpropagate(tape, seeds, rows, layers, (visited) => {
      for (const entry of network.layout.entries.filter((candidate) => candidate.layer === visited.layer.name)) {
        seen.add(`${entry.layer}/${entry.weight}`);
        const columnsOf = (columns: Int32Array): Float32Array =>
          Float32Array.from([...columns].flatMap((column) => expected.map((row) => row[entry.offset + column])));
        // All columns take the dense route, few columns the gathering one.
        const [all, last] = [Int32Array.from({ length: entry.size }, (_, i) => i), Int32Array.of(entry.size - 1)];
        for (const columns of [all, last, all.filter((i) => i % 7 === 2)]) {
          if (columns.length === 0) continue;
          const got = tf.tidy(() => visited.jacobianColumns(entry.weight, columns).dataSync());
          expect(scaledError(got as Float32Array, columnsOf(columns)), `${entry.layer}/${entry.weight}`).toBeLessThan(TOLERANCE);
        }
        const squares = tf.tidy(() => visited.squaredJacobian(entry.weight).dataSync());
        const sums = Float32Array.from({ length: entry.size }, (_, i) =>
          expected.reduce((sum, row) => sum + row[entry.offset + i] ** 2, 0),
        );
        expect(scaledError(squares as Float32Array, sums), `${entry.layer}/${entry.weight} squared`).toBeLessThan(TOLERANCE);
      }
    });
    expect(seen.size).toBe(network.layout.entries.length);

    tape.dispose();
    seeds.dispose();
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([...given, inputs, expectedOutputs, outputs]);
    network.dispose();
    model.dispose();
  });
});
