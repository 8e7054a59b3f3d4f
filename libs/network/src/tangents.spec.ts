import { startBackend } from '@sublace/backend';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { Rows, loadNetwork } from './index.ts';
import { CASES } from './testdata/cases.ts';
import { filesOf, randomiseWeights } from './testdata/layers-models.ts';
import { VisitedLayer } from './visited-layer.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** Largest difference of two tensors relative to the largest entry of the second. */
function difference(got: tf.Tensor, expected: tf.Tensor): number {
  expect(got.shape).toEqual(expected.shape);
  const scale = Math.max(tf.max(tf.abs(expected)).dataSync()[0], 1e-30);
  return tf.max(tf.abs(tf.sub(got, expected))).dataSync()[0] / scale;
}

describe.each(CASES)('tangents, $name', ({ build, inputShape, oracle = 'cpu' }) => {
  it('pushed forward are the transpose of signals carried back, and those of weights are the Jacobian', async (context) => {
    if (oracle !== 'cpu' && oracle !== tf.getBackend()) context.skip('needs the native runtime');
    const model = build();
    randomiseWeights(model, 5);
    const network = loadNetwork(await filesOf(model));
    const [batch, count] = [2, 3];
    const rows = new Rows(batch, 2);
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const tape = network.record(tf.randomNormal([batch, ...inputShape], 0, 1, 'float32', 3));
      for (const [index, { layer }] of network.nodes.entries()) {
        const layerTape = tape.layers[index];
        const outputShape = layerTape.output.shape.slice(1);
        const signal = { gradient: tf.randomNormal([rows.rowCount, ...outputShape], 0, 1, 'float32', 7), rows };
        const visited = new VisitedLayer(layer, [{ tape: layerTape, signal }]);
        if (layer.pushForward) {
          const input = layerTape.inputs[0].shape.slice(1);
          const tangents = tf.randomNormal([count, batch, ...input], 0, 1, 'float32', 9);
          const atInput = new VisitedLayer(layer, [{ tape: layerTape, signal: { gradient: layer.backward(layerTape, signal)[0], rows } }]);
          const pushed = layer.pushForward(layerTape, tangents);
          expect(pushed.shape).toEqual([count, batch, ...outputShape]);
          expect(difference(visited.contract(pushed), atInput.contract(tangents)), layer.name).toBeLessThan(2e-5);
        }
        for (const { name, value } of layer.weightTangents ? layer.weights : []) {
          const columns = Int32Array.from(new Set([0, Math.floor(value.size / 2), value.size - 1]));
          const tangents = layer.weightTangents?.(name, columns, layerTape) as tf.Tensor;
          expect(difference(visited.contract(tangents), visited.jacobianColumns(name, columns)), `${layer.name}/${name}`).toBeLessThan(
            2e-5,
          );
        }
      }
    });
    expect(tf.memory().numTensors).toBe(before);
    network.dispose();
    model.dispose();
  });
});
