import * as tf from '@tensorflow/tfjs';
import { testRandom, type NaiveNetwork } from '@sublace/testing';
import { expect } from 'vitest';
import { loadNetwork, Rows } from '../index.ts';

/** Examples that are compared. */
const BATCH = 3;

/**
 * Expects the network that a naive one describes to do what its double-precision twin does: outputs, Jacobian columns at every weight (all of
 * them, some, and one), and their summed squares. Expects no tensor to be left behind.
 *
 * @param naive  The twin.
 * @param drawInput  Draws one example, flat; default: standard normal numbers.
 */
export function expectLikeTwin(naive: NaiveNetwork, drawInput?: () => number[]): void {
  const random = testRandom(17);
  const size = naive.inputShape.reduce((product, extent) => product * extent, 1);
  const examples = Array.from({ length: BATCH }, () => (drawInput ? drawInput() : random.normals(size)).map(Math.fround));
  const jacobians = examples.flatMap((example) => naive.jacobian(example)); // [B C][P]

  const before = tf.memory().numTensors;
  const network = loadNetwork(naive.toLayersModel());
  expect(network.layout.size).toBe(naive.parameterCount);
  const inputs = tf.tensor(examples.flat(), [BATCH, ...naive.inputShape]);
  const outputs = network.forward(inputs);
  expect(outputs.dataSync()).toBeAllclose(examples.flatMap((example) => naive.forward(example)));

  const tape = network.record(inputs);
  const seeds = tf.tidy(() => tf.tile(tf.eye(network.outputCount), [BATCH, 1]));
  const layers = new Set(network.layout.entries.map(({ layer }) => layer));
  let visitedCount = 0;
  network.backpropagate(tape, seeds, new Rows(BATCH, network.outputCount), layers, (visited) => {
    for (const { weight, offset, size: count } of network.layout.entries.filter(({ layer }) => layer === visited.layer.name)) {
      visitedCount++;
      const all = Int32Array.from({ length: count }, (_, i) => i);
      for (const columns of [all, all.filter((i) => i % 3 === 1), all.slice(-1)]) {
        const got = tf.tidy(() => visited.jacobianColumns(weight, columns).dataSync());
        expect(got).toBeAllclose([...columns].flatMap((column) => jacobians.map((row) => row[offset + column])));
      }
      const squares = tf.tidy(() => visited.squaredJacobian(weight).dataSync());
      expect(squares).toBeAllclose([...all].map((column) => jacobians.reduce((sum, row) => sum + row[offset + column] ** 2, 0)));
    }
  });
  expect(visitedCount).toBe(network.layout.entries.length);
  tape.dispose();
  tf.dispose([inputs, outputs, seeds]);
  network.dispose();
  expect(tf.memory().numTensors).toBe(before);
}
