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
  // Some weights have no influence: the bias of keys shifts all scores alike. Beside the others' their rounding must not count.
  const influence = jacobians.flat().reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const beside = (values: Iterable<number>, power: number): number[] => [...values, influence ** power];
  network.backpropagate(tape, seeds, new Rows(BATCH, network.outputCount), layers, (visited) => {
    for (const { weight, offset, size: count } of network.layout.entries.filter(({ layer }) => layer === visited.layer.name)) {
      visitedCount++;
      const all = Int32Array.from({ length: count }, (_, i) => i);
      for (const columns of [all, ...[3, 7].map((step) => all.filter((i) => i % step === 1)), all.slice(-1)]) {
        const got = tf.tidy(() => visited.jacobianColumns(weight, columns).dataSync());
        const expected = [...columns].flatMap((column) => jacobians.map((row) => row[offset + column]));
        expect(beside(got, 1)).toBeAllclose(beside(expected, 1));
      }
      const squares = tf.tidy(() => visited.squaredJacobian(weight).dataSync());
      const expected = [...all].map((column) => jacobians.reduce((sum, row) => sum + row[offset + column] ** 2, 0));
      expect(beside(squares, 2)).toBeAllclose(beside(expected, 2));
    }
  });
  expect(visitedCount).toBe(network.layout.entries.length);
  tape.dispose();
  tf.dispose([inputs, outputs, seeds]);
  network.dispose();
  expect(tf.memory().numTensors).toBe(before);
}
