import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileFunction, startBackend, type CompiledFunction, type WithFile } from '../index.ts';

let isNative = false;

beforeAll(async () => {
  const { name, device } = await startBackend({ threads: 1 });
  isNative = name === 'tensorflow' && device === 'cpu';
});

const folder = mkdtempSync(join(tmpdir(), 'sublace-compiled-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const withFile: WithFile = (name, bytes, read) => {
  writeFileSync(join(folder, name), bytes);
  return read(folder);
};

/** Tensors of the addon, those that tf.js does not count among them. */
function nativeTensors(): number {
  return (tf.backend() as unknown as { getNumOfTFTensors(): number }).getNumOfTFTensors();
}

function compiled(example: Float32Array, shape: readonly number[], act: (input: tf.Tensor) => tf.Tensor[]): CompiledFunction {
  const graph = compileFunction({ shape, example, withFile }, act);
  if (!graph) throw new Error('expected a graph, got none');
  return graph;
}

const values = (length: number, seed = 1): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(seed + 3 * i));

describe.runIf(process.env['SUBLACE_RUNTIME'] !== 'wasm')('compileFunction', () => {
  it('gives the bits of the operations one by one, for other inputs too, and leaves no tensor behind', () => {
    if (!isNative) return;
    const weights = [tf.tensor2d(values(24, 2), [4, 6]), tf.tensor1d(values(6, 3))];
    const act = (input: tf.Tensor): tf.Tensor[] => {
      const hidden = tf.relu(tf.add(tf.matMul(input as tf.Tensor2D, weights[0] as tf.Tensor2D), weights[1]));
      tf.exp(hidden); // nobody needs it
      const picked = tf.gather(tf.transpose(hidden), tf.tensor1d([5, 0, 0], 'int32'));
      return [hidden, tf.concat([picked, tf.cast(tf.greater(picked, 0.5), 'float32')]), tf.sum(tf.square(hidden), 0)];
    };
    tf.tidy(() => act(tf.ones([3, 4]))); // the runtime takes values in when they are first used
    const [before, nativeBefore] = [tf.memory().numTensors, nativeTensors()];
    const graph = compiled(values(12), [3, 4], act);
    expect(tf.memory().numTensors).toBe(before);
    for (const seed of [1, 7]) {
      const expected = tf.tidy(() => act(tf.tensor2d(values(12, seed), [3, 4])).map((output) => output.dataSync()));
      const got = graph.run(values(12, seed));
      expect(got.map((each) => [...each])).toEqual(expected.map((each) => [...each]));
    }
    expect(graph.operationCount).toBeLessThan(20);
    graph.dispose();
    expect(nativeTensors()).toBe(nativeBefore);
    tf.dispose(weights);
  });

  it('keeps the weights that it uses, and sees when they are gone from their owner', () => {
    if (!isNative) return;
    const weight = tf.scalar(3);
    const graph = compiled(values(2), [2], (input) => [tf.mul(input, weight)]);
    weight.dispose();
    expect([...graph.run(Float32Array.of(1, 2))[0]]).toEqual([3, 6]);
    graph.dispose();
  });

  it('copies no large tensor into the graph', () => {
    if (!isNative) return;
    const large = tf.ones([200, 200]); // 160 kB
    const product = (input: tf.Tensor): tf.Tensor[] => [tf.matMul(input as tf.Tensor2D, large as tf.Tensor2D)];
    const graph = compiled(values(400), [2, 200], product);
    expect(graph.constantBytes).toBeLessThan(1000);
    graph.dispose();
    large.dispose();
  });

  it('follows indices that depend on the input, and fails where they leave their bounds', () => {
    if (!isNative) return;
    const table = tf.tensor1d([10, 20, 30]);
    const graph = compiled(new Float32Array(2), [2], (input) => [tf.gather(table, tf.cast(input, 'int32') as tf.Tensor1D)]);
    expect([...graph.run(Float32Array.of(2, 1))[0]]).toEqual([30, 20]);
    expect(() => graph.run(Float32Array.of(3, 0))).toThrow('not in [0, 3)');
    expect([...graph.run(Float32Array.of(0, 1))[0]]).toEqual([10, 20]);
    graph.dispose();
    table.dispose();
  });

  it('makes no graph of a function that looks at values, or where there is no room for its file', () => {
    if (!isNative) return;
    const before = [tf.memory().numTensors, nativeTensors()];
    const looks = (input: tf.Tensor): tf.Tensor[] => [input.dataSync()[0] > 0 ? tf.exp(input) : tf.neg(input)];
    const options = { shape: [2], example: values(2), withFile };
    expect(compileFunction(options, looks)).toBeUndefined();
    const full: WithFile = () => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { syscall: 'write' });
    };
    expect(compileFunction({ ...options, withFile: full }, (input) => [tf.exp(input)])).toBeUndefined();
    expect([tf.memory().numTensors, nativeTensors()]).toEqual(before);
  });

  it('lets a defect of the function through', () => {
    if (!isNative) return;
    expect(() =>
      compileFunction({ shape: [2], example: values(2), withFile }, () => {
        throw new TypeError('a defect');
      }),
    ).toThrow('a defect');
  });
});
