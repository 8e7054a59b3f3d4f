import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '@sublace/backend';
import { buildArchitecture } from './architectures/build-architecture.ts';
import { computeOutputs, evaluateModel } from './evaluation.ts';
import { blobs, sine } from './testdata/tiny-problems.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

describe('evaluateModel', () => {
  it('gives the mean of -log softmax and the share of right answers', () => {
    const examples = blobs(31, 3);
    const model = buildArchitecture('mlp:5x1', { inputShape: [2], outputCount: 3, seed: 2 });
    const logits = computeOutputs(model, examples, 7);
    const labels = examples.targets.kind === 'labels' ? examples.targets.labels : new Int32Array();
    const rows = Array.from(labels, (_, n) => Array.from(logits.subarray(3 * n, 3 * n + 3)));
    const nll = rows.map((f, n) => -Math.log(Math.exp(f[labels[n]]) / f.reduce((sum, value) => sum + Math.exp(value), 0)));
    const right = rows.filter((f, n) => f.every((value) => value <= f[labels[n]]));
    expect(evaluateModel(model, examples)).toEqual({
      nll: expect.closeTo(nll.reduce((sum, value) => sum + value, 0) / 31, 6),
      accuracy: right.length / 31,
    });
    model.dispose();
  });

  it('gives the RMSE and the Gaussian NLL at the best noise variance', () => {
    const examples = sine(40, 3);
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1], kernelInitializer: 'zeros' })] });
    const values = examples.targets.kind === 'values' ? Array.from(examples.targets.values) : [];
    const variance = values.reduce((sum, value) => sum + value * value, 0) / 40;
    const nllAt = (s: number): number =>
      values.reduce((sum, value) => sum + 0.5 * Math.log(2 * Math.PI * s) + value ** 2 / (2 * s), 0) / 40;
    const { nll, rmse } = evaluateModel(model, examples);
    expect(rmse).toBeCloseTo(Math.sqrt(variance), 6);
    expect(nll).toBeCloseTo(nllAt(variance), 6);
    expect(nll).toBeLessThan(Math.min(nllAt(variance * 1.1), nllAt(variance / 1.1)));
    model.dispose();
  });
});
