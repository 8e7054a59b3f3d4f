import { startBackend } from '@sublace/backend';
import { GgnAccumulator, identitySeeds, jacobianColumns, squareRootSeeds } from '@sublace/curvature';
import { categorical } from '@sublace/likelihoods';
import { loadNetwork, Rows } from '@sublace/network';
import { tilesOfLowerTriangle } from '@sublace/partials';
import { categoricalHessian, naiveGgn, naiveTransformer, testRandom, type NaiveNetwork } from '@sublace/testing';
import { buildArchitecture, saveLayersModel } from '@sublace/training';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** The twin's weights by name, with their positions in its order. */
function weightsOf(
  naive: NaiveNetwork,
): Map<string, { readonly values: number[]; readonly offset: number; readonly shape: readonly number[] }> {
  let offset = 0;
  return new Map(
    naive.layers.flatMap((layer) =>
      layer.weights.map(({ name, values, shape }) => {
        const entry = [name, { values, offset, shape }] as const;
        offset += values.length;
        return entry;
      }),
    ),
  );
}

describe('the transformer architecture', () => {
  it('has the outputs, Jacobian and GGN, at every weight, of its twin', async () => {
    const sizes = { inputShape: [4, 2, 1], width: 4, depth: 1, heads: 2, outputs: 3 };
    const random = testRandom(2);
    const naive = naiveTransformer(random, sizes);
    const twinWeights = weightsOf(naive);
    const model = buildArchitecture('transformer:4x1x2', { inputShape: sizes.inputShape, outputCount: sizes.outputs, seed: 1 });
    const values = model.weights.map(({ originalName }) => {
      const { values: numbers, shape } = twinWeights.get(originalName) as { values: number[]; shape: readonly number[] };
      return tf.tensor(numbers, [...shape]);
    });
    model.setWeights(values);
    const network = loadNetwork(await saveLayersModel(model));
    tf.dispose(values);
    model.dispose();
    expect(network.layout.size).toBe(naive.parameterCount);
    expect(network.notes).toEqual([]);

    const examples = Array.from({ length: 3 }, () => random.normals(8).map(Math.fround));
    const inputs = tf.tensor(examples.flat(), [3, ...sizes.inputShape]);
    const tape = network.record(inputs);
    const outputs = examples.map((example) => naive.forward(example));
    expect(tape.outputs.dataSync()).toBeAllclose(outputs.flat());

    // The twin's columns in the network's order.
    const order = network.layout.entries.flatMap(({ layer, weight, size }) => {
      const { offset } = twinWeights.get(`${layer}/${weight}`) as { offset: number };
      return Array.from({ length: size }, (_, i) => offset + i);
    });
    const jacobians = examples.map((example) => naive.jacobian(example).map((row) => order.map((column) => row[column])));
    const all = Int32Array.from({ length: network.layout.size }, (_, i) => i);
    const rows = new Rows(3, sizes.outputs);
    const seeds = identitySeeds(3, sizes.outputs);
    const columns = jacobianColumns(network, tape, seeds, rows, all);
    expect(columns.dataSync()).toBeAllclose(order.flatMap((_, s) => jacobians.flatMap((jacobian) => jacobian.map((row) => row[s]))));

    const accumulator = new GgnAccumulator(all.length);
    const roots = squareRootSeeds(categorical, tape.outputs);
    const a = jacobianColumns(network, tape, roots, new Rows(3, roots.shape[0] / 3), all);
    accumulator.accumulate(a);
    const ggn = naiveGgn(jacobians, outputs.map(categoricalHessian));
    const blocks = accumulator.finish();
    for (const [i, { rowStart, columnStart, rows: height, columns: width }] of tilesOfLowerTriangle(all.length).entries())
      expect(blocks[i].data).toBeAllclose(
        ggn.slice(rowStart, rowStart + height).flatMap((row) => row.slice(columnStart, columnStart + width)),
      );
    tape.dispose();
    tf.dispose([inputs, seeds, columns, roots, a]);
    network.dispose();
  });
});
