import { startBackend } from '@sublace/backend';
import { concatenateLayer, mergeLayer, testRandom } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { Rows } from '../rows.ts';
import { expectAgreement } from '../testdata/twin.ts';
import { Merge } from './merge.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

describe.each(['Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum'] as const)('%s', (className) => {
  it.each([1, 2, 3])('agrees with its twin on random shapes (%i)', (seed) => {
    const random = testRandom(seed);
    const shape = Array.from({ length: 1 + random.integer(3) }, () => 1 + random.integer(4));
    const count = className === 'Subtract' ? 2 : 1 + random.integer(4);
    const shapes = Array.from({ length: count }, () => shape);
    expectAgreement(random, mergeLayer('merge', className), shapes);
    // Many ties.
    expectAgreement(random, mergeLayer('merge', className), shapes, (size) => Array.from({ length: size }, () => random.integer(2)));
  });
});

describe('Merge', () => {
  it('broadcasts: axes of extent 1 are put after the batch axis, and gradients summed over what was repeated', () => {
    tf.tidy(() => {
      const layer = new Merge('product', 'Multiply');
      const [matrix, vector, row] = [tf.randomNormal([2, 3, 4]), tf.randomNormal([2, 4]), tf.randomNormal([2, 3, 1])];
      const tape = layer.forward([matrix, vector, row]);
      const product = (a: tf.Tensor, b: tf.Tensor, c: tf.Tensor): tf.Tensor => tf.mul(tf.mul(a, tf.reshape(b, [2, 1, 4])), c);
      expect(tape.output.dataSync()).toBeAllclose(product(matrix, vector, row).dataSync());
      const signal = tf.randomNormal([2, 3, 4]);
      const expected = tf.grads(product)([matrix, vector, row], signal);
      const got = layer.backward(tape, { gradient: signal, rows: new Rows(2, 1) });
      for (const [i, gradient] of expected.entries()) {
        expect(got[i].shape).toEqual(gradient.shape);
        expect(got[i].dataSync()).toBeAllclose(gradient.dataSync());
      }
    });
  });
});

describe('Concatenate', () => {
  it.each([0, 1, 2])('agrees with its twin, axis %i', (axis) => {
    const random = testRandom(axis + 20);
    const shapes = [2, 1, 3].map((extent) => [2, 3, 2].map((common, i) => (i === axis ? extent : common)));
    expectAgreement(random, concatenateLayer('join', shapes, axis), shapes);
  });
});
