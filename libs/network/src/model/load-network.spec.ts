import { startBackend } from '@sublace/backend';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { filesOf } from '../testdata/layers-models.ts';
import { loadNetwork } from './load-network.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

describe('loadNetwork', () => {
  it.each(['dense', 'layer'])('takes a softmax at the end off, whether it is an activation or a layer (%s)', async (kind) => {
    const last =
      kind === 'dense' ? [tf.layers.dense({ units: 3, activation: 'softmax' })] : [tf.layers.dense({ units: 3 }), tf.layers.softmax()];
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 4, inputShape: [2] }), ...last] });
    const network = loadNetwork(await filesOf(model));
    expect(network.outputActivation).toBe('softmax');
    const inputs = tf.tensor2d([0.3, -1], [1, 2]);
    const probabilities = tf.softmax(network.forward(inputs)).dataSync();
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
