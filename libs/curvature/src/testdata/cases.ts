import { loadNetwork, type Network } from '@sublace/network';
import {
  activationLayer,
  flattenLayer,
  NaiveNetwork,
  randomConv2d,
  randomDense,
  testRandom,
  type Matrix,
  type TestRandom,
} from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';

/** A network and its double-precision twin, with examples. */
export interface CurvatureCase {
  readonly network: Network;
  readonly naive: NaiveNetwork;
  /** [B, ...inputShape] */
  readonly inputs: tf.Tensor;
  readonly examples: readonly number[][];
  /** One [C, P] per example. */
  readonly jacobians: readonly Matrix[];
  readonly dispose: () => void;
}

const mlp = (activation: 'tanh' | 'relu') => (random: TestRandom) =>
  new NaiveNetwork(
    [6],
    [
      randomDense(random, 'first', 6, 8),
      activationLayer('bend', activation),
      randomDense(random, 'second', 8, 5),
      activationLayer('bend_again', activation),
      randomDense(random, 'head', 5, 4),
    ],
  );

const convolutional = (random: TestRandom): NaiveNetwork =>
  new NaiveNetwork(
    [6, 5, 2],
    [
      randomConv2d(random, 'first', { inputShape: [6, 5, 2], kernelSize: 3, stride: 1, padding: 'same', filters: 8 }),
      activationLayer('bend', 'relu'),
      randomConv2d(random, 'second', { inputShape: [6, 5, 8], kernelSize: 3, stride: 2, padding: 'valid', filters: 6 }),
      activationLayer('bend_again', 'tanh'),
      flattenLayer('flatten'),
      randomDense(random, 'head', 24, 3),
    ],
  );

const NETWORKS = { 'dense, tanh': mlp('tanh'), 'dense, relu': mlp('relu'), convolutional };

/** Names of the cases. */
export const CASE_NAMES = Object.keys(NETWORKS) as (keyof typeof NETWORKS)[];

/**
 * Builds a case; the backend must be running.
 *
 * @param name  Which.
 * @param batch  Number of examples.
 * @returns  The case; dispose of it.
 */
export function curvatureCase(name: keyof typeof NETWORKS, batch = 4): CurvatureCase {
  const random = testRandom(11);
  const naive = NETWORKS[name](random);
  const size = naive.inputShape.reduce((total, extent) => total * extent, 1);
  const examples = Array.from({ length: batch }, () => random.normals(size).map(Math.fround));
  const network = loadNetwork(naive.toLayersModel());
  const inputs = tf.tensor(examples.flat(), [batch, ...naive.inputShape]);
  return {
    network,
    naive,
    inputs,
    examples,
    jacobians: examples.map((example) => naive.jacobian(example)),
    dispose: () => {
      network.dispose();
      inputs.dispose();
    },
  };
}

/**
 * Columns of a matrix.
 *
 * @param matrix  [n, P]
 * @param indices  S positions.
 * @returns  [n, S]
 */
export function columnsOf(matrix: Matrix, indices: Int32Array): Matrix {
  return matrix.map((row) => Array.from(indices, (index) => row[index]));
}
