import { startBackend } from '@sublace/backend';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { filesOf } from '../testdata/layers-models.ts';
import { loadNetwork } from './load-network.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

describe('loadNetwork', () => {
  it.each([
    ['softmax, an activation', [tf.layers.dense({ units: 3, activation: 'softmax' })], 'softmax', (f: tf.Tensor) => tf.softmax(f)],
    ['softmax, a layer', [tf.layers.dense({ units: 3 }), tf.layers.softmax()], 'softmax', (f: tf.Tensor) => tf.softmax(f)],
    ['sigmoid, an activation', [tf.layers.dense({ units: 3, activation: 'sigmoid' })], 'sigmoid', (f: tf.Tensor) => tf.sigmoid(f)],
    [
      'sigmoid, a layer',
      [tf.layers.dense({ units: 3 }), tf.layers.activation({ activation: 'sigmoid' })],
      'sigmoid',
      (f: tf.Tensor) => tf.sigmoid(f),
    ],
  ] as const)('takes off what turns logits into probabilities at the end: %s', async (_, last, name, link) => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 4, inputShape: [2] }), ...last] });
    const network = loadNetwork(await filesOf(model));
    expect(network.outputActivation).toBe(name);
    const inputs = tf.tensor2d([0.3, -1], [1, 2]);
    const probabilities = link(network.forward(inputs)).dataSync();
    const expected = (model.predict(inputs) as tf.Tensor).dataSync();
    for (const [c, value] of expected.entries()) expect(probabilities[c]).toBeCloseTo(value, 6);
    network.dispose();
  });

  it('refuses batch normalisation over another axis than the last', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.batchNormalization({ axis: 1, inputShape: [3, 3, 3], name: 'norm' }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 2 }),
      ],
    });
    const files = await filesOf(model);
    expect(() => loadNetwork(files)).toThrow(
      "layer 'norm' (BatchNormalization) does not accept its input [3, 3, 3]: expected batch normalisation over the last axis 3, got 1",
    );
  });
});
