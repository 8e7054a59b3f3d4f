import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { writeSafetensors, type Tensor } from '@sublace/tensor-files';
import { testRandom } from '@sublace/testing';
import { saveLayersModel } from '@sublace/training';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openPosterior } from './index.ts';
import { fitInProcess } from './testdata/fit-in-process.ts';
import { temporaryFolder } from './testdata/small-problems.ts';

const COUNT = 9;
const folder = temporaryFolder();

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** Tokens through an embedding and a recurrent layer, numbers through a dense layer. */
function buildModel(): tf.LayersModel {
  const [tokens, numbers] = [tf.input({ shape: [5], name: 'tokens' }), tf.input({ shape: [3], name: 'numbers' })];
  const embedded = tf.layers.embedding({ inputDim: 7, outputDim: 3, inputLength: 5, name: 'table' }).apply(tokens) as tf.SymbolicTensor;
  const reader = tf.layers.rnn({ cell: tf.layers.simpleRNNCell({ units: 3 }), name: 'reader' });
  const read = reader.apply(embedded) as tf.SymbolicTensor;
  const dense = tf.layers.dense({ units: 2, activation: 'tanh', name: 'dense' }).apply(numbers) as tf.SymbolicTensor;
  const joined = tf.layers.concatenate().apply([read, dense]) as tf.SymbolicTensor;
  return tf.model({ inputs: [tokens, numbers], outputs: tf.layers.dense({ units: 3, name: 'head' }).apply(joined) as tf.SymbolicTensor });
}

describe('a model of several inputs, with a layer that tf.js differentiates', () => {
  it('is fitted and predicts as any other, and the manifest says what is slow', async () => {
    const random = testRandom(1);
    const tokens = Float32Array.from({ length: COUNT * 5 }, () => random.integer(7));
    const numbers = Float32Array.from(random.normals(COUNT * 3));
    const arrays: Record<string, Tensor> = {
      tokens: { dtype: 'F32', shape: [COUNT, 5], data: tokens },
      numbers: { dtype: 'F32', shape: [COUNT, 3], data: numbers },
      y: { dtype: 'I32', shape: [COUNT], data: Int32Array.from({ length: COUNT }, (_, i) => i % 3) },
    };
    const data = join(folder, 'data.safetensors');
    writeFileSync(data, writeSafetensors(new Map(Object.entries(arrays))));
    const model = buildModel();
    const { modelJson, weights } = await saveLayersModel(model);
    mkdirSync(join(folder, 'model'));
    writeFileSync(join(folder, 'model', 'model.json'), JSON.stringify(modelJson));
    writeFileSync(join(folder, 'model', 'weights.bin'), weights);

    const run = await fitInProcess({
      model: join(folder, 'model'),
      data: `${data}?inputs=tokens,numbers`,
      subnetwork: 'largest-variance:12',
      candidates: 'all',
      likelihood: 'classification',
      validation: 'none',
      priorPrecision: 1,
      output: join(folder, 'posterior'),
    });
    expect(run.indices.length).toBe(12);
    const fitted = await openPosterior(run.folder);
    expect(fitted.manifest.model.inputShape).toEqual([8]);
    expect(fitted.manifest.model.notes).toEqual([
      'RNN (reader) has no rule of its own and is differentiated by tf.js, one row at a time: right, but slow',
    ]);
    const joined = Float32Array.from({ length: COUNT * 8 }, (_, i) => {
      const [n, k] = [Math.floor(i / 8), i % 8];
      return k < 5 ? tokens[n * 5 + k] : numbers[n * 3 + k - 5];
    });
    const outputs = fitted.outputs(joined, COUNT);
    const expected = tf.tidy(() =>
      (model.predict([tf.tensor2d(tokens, [COUNT, 5]), tf.tensor2d(numbers, [COUNT, 3])]) as tf.Tensor).dataSync(),
    );
    expect(outputs.mean).toBeAllclose(expected);
    expect(outputs.variance.every((value) => value > 0)).toBe(true);
    fitted.dispose();
    model.dispose();
  });
});
