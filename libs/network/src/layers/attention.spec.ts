import { startBackend } from '@sublace/backend';
import { flattenLayer, NaiveNetwork, randomAttention, randomDense, randomSequenceDense, testRandom } from '@sublace/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadNetwork } from '../index.ts';
import { expectLikeTwin } from '../testdata/expect-like-twin.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

describe('multi-head attention', () => {
  it.each([1, 2, 3])('of a query, values and keys does what its twin does on random shapes (%i)', (seed) => {
    const random = testRandom(seed);
    const extent = (): number => 1 + random.integer(3);
    const [queries, keys] = [extent(), 2 + random.integer(3)];
    const widths = [extent(), extent(), extent()];
    const shapes = [[queries, extent()], [keys, extent()], [keys, extent()]] as const; // prettier-ignore
    const outputWidth = extent();
    const projections = shapes.map(([steps, inputs], k) => ({
      layer: randomSequenceDense(random, `before${k}`, steps, inputs, widths[k]),
      inputs: [-1 - k],
    }));
    const attention = randomAttention(random, 'attention', {
      heads: extent(),
      keyWidth: extent(),
      valueWidth: extent(),
      query: [queries, widths[0]],
      value: [keys, widths[1]],
      key: [keys, widths[2]],
      outputWidth,
    });
    expectLikeTwin(
      new NaiveNetwork(shapes, [
        ...projections,
        { layer: attention, inputs: [0, 1, 2] },
        { layer: flattenLayer('flat'), inputs: [3] },
        { layer: randomDense(random, 'head', queries * outputWidth, 3), inputs: [4] },
      ]),
    );
  });

  it('of a sequence with itself, the same layer twice, does what its twin does', () => {
    const random = testRandom(9);
    const attention = randomAttention(random, 'attention', {
      heads: 2,
      keyWidth: 3,
      valueWidth: 2,
      query: [3, 4],
      value: [3, 4],
      key: [3, 4],
      outputWidth: 4,
    });
    expectLikeTwin(
      new NaiveNetwork(
        [[3, 4]],
        [
          { layer: attention, inputs: [-1, -1, -1] },
          { layer: attention, inputs: [0, 0, -1] },
          { layer: flattenLayer('flat'), inputs: [1] },
          { layer: randomDense(random, 'head', 12, 2), inputs: [2] },
        ],
      ),
    );
  });

  it('counts the attention of every query to every key in what an example takes', () => {
    const random = testRandom(3);
    const sizes = { heads: 3, keyWidth: 1, valueWidth: 1, query: [7, 1], value: [5, 1], key: [5, 1], outputWidth: 1 } as const;
    const naive = new NaiveNetwork(
      [
        [7, 1],
        [5, 1],
      ],
      [
        { layer: randomAttention(random, 'attention', sizes), inputs: [-1, -2, -2] },
        { layer: flattenLayer('flat'), inputs: [0] },
        { layer: randomDense(random, 'head', 7, 2), inputs: [1] },
      ],
    );
    const network = loadNetwork(naive.toLayersModel());
    expect(network.activationElements.largest).toBe(3 * 7 * 5);
    network.dispose();
  });

  it('takes value and key by name, as Keras writes them, the value for a missing key, and names weights as Keras does', () => {
    const random = testRandom(4);
    const sizes = { heads: 2, keyWidth: 2, valueWidth: 2, query: [3, 4], value: [2, 4], key: [2, 4], outputWidth: 4 } as const;
    const naive = new NaiveNetwork(
      [[3, 4], [2, 4]],
      [
        { layer: randomAttention(random, 'attention', sizes), inputs: [-1, -2, -2] },
        { layer: flattenLayer('flat'), inputs: [0] },
        { layer: randomDense(random, 'head', 12, 2), inputs: [1] },
      ],
    ); // prettier-ignore
    const { modelJson, weights } = naive.toLayersModel();
    const config = (modelJson as { modelTopology: { config: { layers: { name: string; inbound_nodes: unknown }[] } } }).modelTopology
      .config;
    const layer = config.layers.find(({ name }) => name === 'attention') as { inbound_nodes: unknown };
    const namesOf = (calls: unknown): string[] => {
      layer.inbound_nodes = calls;
      const network = loadNetwork({ modelJson, weights });
      const names = network.layout.entries.map((entry) => `${entry.layer}/${entry.weight}`);
      network.dispose();
      return names;
    };
    const named = [[['input_0', 0, 0, { value: ['input_1', 0, 0], use_causal_mask: false }]]];
    expect(namesOf(named).slice(0, 8)).toEqual(naive.layers[0].weights.map(({ name }) => name));
    expect(() => namesOf([[['input_0', 0, 0, { value: ['input_1', 0, 0], use_causal_mask: true }]]])).toThrow(
      "layer 'attention' (MultiHeadAttention): called with 'use_causal_mask', which is not supported",
    );
    expect(() => namesOf([[['input_0', 0, 0, {}]]])).toThrow("layer 'attention' (MultiHeadAttention): expected a query and a value");
  });
});
