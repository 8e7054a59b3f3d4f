import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '@sublace/backend';
import { findDataset, loadDataset } from '@sublace/data';
import { softmax } from '@sublace/metrics';
import '@sublace/testing';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openModel, openPosterior } from '../index.ts';
import { fitInProcess } from '../testdata/fit-in-process.ts';
import { temporaryFolder } from '../testdata/small-problems.ts';

// cspell:ignore tfjsnode
const shared = process.env['SUBLACE_SHARED'] ?? join(import.meta.dirname, '..', '..', '..', '..', '..', 'shared');
const path = join(shared, 'models', 'tfjs-mnist-cnn-tfjsnode');
const folder = temporaryFolder();

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** A model saved by the tf.js of 2018: no format field, a softmax at the end, no metadata of ours; pixels in 0..1. */
function onModel(title: string, body: () => Promise<void>): void {
  const missing = [
    ...(existsSync(path) ? [] : ['models/tfjs-mnist-cnn-tfjsnode in SUBLACE_SHARED']),
    ...(findDataset('mnist') ? [] : ['mnist']),
  ];
  if (missing.length > 0) it.skip(`skipped: needs ${missing.join(' and ')}: ${title}`, body);
  else it(title, body);
}

describe('an old tf.js model of MNIST', () => {
  onModel('gives the logits under its softmax, which name the digit', async () => {
    const ours = openModel(path);
    const { network, metadata, files } = ours;
    expect([network.outputActivation, network.outputCount, network.layout.size, metadata]).toEqual(['softmax', 10, 33_194, undefined]);
    const { inputs, count, targets } = await loadDataset('mnist?limit=500', { split: 'test' });
    const images = tf.tensor(inputs, [count, 28, 28, 1]);
    const scaled = tf.div(images, 255);
    const logits = network.forward(scaled);
    const values = logits.dataSync();
    expect(values.some((value) => value < 0)).toBe(true);
    const probabilities = softmax(values, 10);

    const { modelTopology, weightsManifest } = files.modelJson as tf.io.ModelJSON;
    const weightSpecs = weightsManifest.flatMap((group) => group.weights);
    const weightData = new Uint8Array(files.weights).buffer;
    const model = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
    const expected = model.predict(scaled) as tf.Tensor; // probabilities
    expect(probabilities).toBeAllclose(expected.dataSync());

    const predicted = Array.from({ length: count }, (_, n) => probabilities.subarray(n * 10, n * 10 + 10)).map((row) =>
      row.indexOf(Math.max(...row)),
    );
    const labels = targets.kind === 'labels' ? targets.labels : new Int32Array();
    expect(predicted.filter((label, n) => label === labels[n]).length / count).toBeGreaterThan(0.9);
    tf.dispose([images, scaled, logits, expected]);
    model.dispose();
    ours.dispose();
  });

  onModel('is fitted without metadata, with pixels divided by 255', async () => {
    const output = join(folder, 'posterior');
    await fitInProcess({
      model: path,
      data: 'mnist?limit=100',
      subnetwork: 'largest-variance:40',
      normalisation: 'unit',
      validation: 'none',
      priorPrecision: 1,
      output,
    });
    const fitted = await openPosterior(output);
    expect(fitted.manifest).toMatchObject({ likelihood: 'classification', normalisation: { inputMean: [0], inputStd: [255] } });
    const { inputs, count } = await loadDataset('mnist?limit=20', { split: 'test' });
    const [variance] = fitted.predict(inputs, count, { outputs: ['logit_variance'] });
    expect(Math.max(...variance.data)).toBeGreaterThan(0);
    fitted.dispose();
  });
});
