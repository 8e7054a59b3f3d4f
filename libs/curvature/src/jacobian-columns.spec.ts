import { startBackend } from '@sublace/backend';
import { Rows, type ParameterEntry } from '@sublace/network';
import { product, testRandom, transposed } from '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { identitySeeds, jacobianColumns } from './index.ts';
import { CASE_NAMES, columnsOf, curvatureCase } from './testdata/cases.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** Subnetworks by what they ask of a layer: its first weights gathered one by one, its weights all at once, or a mixture. */
const SUBNETWORKS: Record<string, (entries: readonly ParameterEntry[], size: number) => Int32Array> = {
  'every weight': (_, size) => Int32Array.from({ length: size }, (__, i) => i),
  'one weight of each tensor': (entries) => Int32Array.from(entries, ({ offset, size }) => offset + Math.floor(size / 2)),
  'two weights of one kernel': ([entry]) => Int32Array.of(entry.offset + 1, entry.offset + entry.size - 1),
  'the last layer alone': (_, size) => Int32Array.from({ length: 5 }, (_, i) => size - 5 + i),
  'a third of all weights': (_, size) => testRandom(2).subset(Math.floor(size / 3), size),
};

describe.each(CASE_NAMES)('Jacobian columns, %s', (name) => {
  it.each(Object.keys(SUBNETWORKS))('agree with the twin at %s, and leave no tensor behind', (kind) => {
    const { network, naive, inputs, jacobians, dispose } = curvatureCase(name);
    expect(network.layout.size).toBe(naive.parameterCount);
    const indices = SUBNETWORKS[kind](network.layout.entries, network.layout.size);
    const [batch, outputs] = [inputs.shape[0], network.outputCount];

    const before = tf.memory().numTensors;
    const tape = network.record(inputs);
    const seeds = identitySeeds(batch, outputs);
    const columns = jacobianColumns(network, tape, seeds, new Rows(batch, outputs), indices);
    expect(columns.shape).toEqual([indices.length, batch * outputs]);
    const expected = transposed(jacobians.flatMap((jacobian) => columnsOf(jacobian, indices)));
    expect(columns.dataSync()).toBeAllclose(expected.flat());

    tf.dispose([columns, seeds]);
    tape.dispose();
    expect(tf.memory().numTensors).toBe(before);
    dispose();
  });

  it('are the seeds times the Jacobian, for any number of seeds', () => {
    const { network, inputs, jacobians, dispose } = curvatureCase(name, 3);
    const outputs = network.outputCount;
    const random = testRandom(5);
    const indices = random.subset(20, network.layout.size);
    const directions = jacobians.map(() => [random.normals(outputs), random.normals(outputs)]); // [B][2][C]
    const seeds = tf.tensor2d(directions.flat());
    const tape = network.record(inputs);
    const columns = jacobianColumns(network, tape, seeds, new Rows(3, 2), indices);
    const expected = jacobians.flatMap((jacobian, n) => product(directions[n], columnsOf(jacobian, indices)));
    expect(columns.dataSync()).toBeAllclose(transposed(expected).flat());
    tf.dispose([columns, seeds]);
    tape.dispose();
    dispose();
  });
});

describe('jacobianColumns', () => {
  it('refuses indices that are not strictly ascending or not in the model', () => {
    const { network, inputs, dispose } = curvatureCase('dense, tanh', 1);
    const tape = network.record(inputs);
    const seeds = identitySeeds(1, network.outputCount);
    const at =
      (...indices: number[]) =>
      () =>
        jacobianColumns(network, tape, seeds, new Rows(1, network.outputCount), Int32Array.from(indices));
    expect(at(3, 3)).toThrow('subnetwork indices: expected strictly ascending integers in 0..124, got 3 at position 1');
    expect(at(4, 3)).toThrow('got 3 at position 1');
    expect(at(0, 125)).toThrow('got 125 at position 1');
    expect(at(-1)).toThrow(expect.objectContaining({ code: 'SUBNETWORK_INVALID' }));
    seeds.dispose();
    tape.dispose();
    dispose();
  });
});
