import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '@sublace/backend';
import { buildArchitecture } from './architectures/build-architecture.ts';
import { takeExamples, type Examples } from './examples.ts';
import { evaluateModel } from './evaluation.ts';
import { bars, blobs, seededNormal, sine } from './testdata/tiny-problems.ts';
import { trainMap, type EpochRecord, type TrainingProgress } from './train-map.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

const mlp = (examples: Examples, outputCount: number, seed = 1): tf.LayersModel =>
  buildArchitecture('mlp:20x1', { inputShape: examples.inputShape, outputCount, seed });

const weightsOf = (model: tf.LayersModel): Float32Array[] => model.getWeights().map((weight) => weight.dataSync<'float32'>().slice());

describe('trainMap', () => {
  it('learns classes, and the curve says what a fresh evaluation says', async () => {
    const [training, validation] = [blobs(300, 1), blobs(300, 2)];
    const model = mlp(training, 3);
    const { curve, bestEpoch } = await trainMap(model, training, validation, { epochs: 15, batchSize: 32, learningRate: 0.02 });
    expect(curve.map((record) => record.epoch)).toEqual(Array.from({ length: 15 }, (_, index) => index + 1));
    const best = curve[bestEpoch - 1];
    // The optimal rule for these blobs is right in 93 % of cases.
    expect(best.validationAccuracy).toBeGreaterThan(0.9);
    expect(best.validationNll).toBe(Math.min(...curve.map((record) => record.validationNll!)));
    expect(evaluateModel(model, validation)).toEqual({ nll: best.validationNll, accuracy: best.validationAccuracy });
    model.dispose();
  });

  it('learns a function with sgd-momentum down to its noise', async () => {
    const training = sine(400, 1);
    const model = mlp(training, 1);
    const options = { epochs: 150, batchSize: 50, optimiser: 'sgd-momentum', learningRate: 0.05, weightDecay: 0, warmUpEpochs: 1 } as const;
    const { curve } = await trainMap(model, training, sine(400, 5), options);
    expect(curve.at(-1)!.validationRmse).toBeLessThan(0.13);
    model.dispose();
  });

  it('gives equal weights for equal seeds, others for another order of examples', async () => {
    const training = blobs(60, 1);
    const runs: Float32Array[][] = [];
    for (const seed of [7, 7, 8]) {
      const model = mlp(training, 3);
      await trainMap(model, training, undefined, { epochs: 2, batchSize: 16, seed });
      runs.push(weightsOf(model));
      model.dispose();
    }
    expect(runs[0]).toEqual(runs[1]);
    expect(runs[0]).not.toEqual(runs[2]);
  });

  it('reaches the closed-form ridge solution: the penalty is weightDecay / 2 |w|^2 on the mean loss', async () => {
    // One linear layer, x of variance near 1: minimise 1/(2N) sum (y - w x - b)^2 + d/2 w^2.
    const normal = seededNormal(3);
    const count = 64;
    const inputs = Float32Array.from({ length: count }, normal);
    const values = inputs.map((x) => 1.5 * x + 0.7 + 0.1 * normal());
    const examples: Examples = { count, inputShape: [1], inputs, targets: { kind: 'values', values, width: 1 } };
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] });
    const weightDecay = 0.5;
    const { priorPrecision } = await trainMap(model, examples, undefined, {
      epochs: 300,
      batchSize: count,
      optimiser: 'sgd-momentum',
      learningRate: 0.1,
      schedule: 'constant',
      weightDecay,
    });
    const mean = (terms: ArrayLike<number>): number => Array.from(terms).reduce((sum, term) => sum + term, 0) / count;
    const [meanX, meanY] = [mean(inputs), mean(values)];
    const w = mean(inputs.map((x, n) => (x - meanX) * (values[n] - meanY))) / (mean(inputs.map((x) => (x - meanX) ** 2)) + weightDecay);
    const [kernel, bias] = weightsOf(model);
    expect(kernel[0]).toBeCloseTo(w, 4);
    expect(bias[0]).toBeCloseTo(meanY - w * meanX, 4);
    expect(priorPrecision).toBe(32);
    model.dispose();
  });

  it('stops early, puts the best weights back', async () => {
    const [training, validation] = [takeExamples(blobs(60, 1), [0, 1, 2, 3, 4, 5]), blobs(300, 2)];
    const model = buildArchitecture('mlp:100x2', { inputShape: [2], outputCount: 3, seed: 1 });
    const { curve, bestEpoch, stoppedEarly } = await trainMap(model, training, validation, {
      epochs: 200,
      batchSize: 6,
      learningRate: 0.05,
      schedule: 'constant',
      weightDecay: 0,
      patience: 4,
    });
    expect(stoppedEarly).toBe(true);
    expect(curve).toHaveLength(bestEpoch + 4);
    expect(evaluateModel(model, validation).nll).toBe(curve[bestEpoch - 1].validationNll);
    model.dispose();
  });

  it('updates the moving statistics of batch norm and predicts with them', async () => {
    const training = bars(64, 8, 2, 1);
    // A shift that only moving statistics can take out again at inference.
    const shifted = { ...training, inputs: training.inputs.map((value) => value + 3) };
    const model = buildArchitecture('resnet-small', { inputShape: [8, 8, 2], outputCount: 2, seed: 1 });
    const result = await trainMap(model, shifted, undefined, { epochs: 8, batchSize: 16, learningRate: 1e-2 });
    expect(result.curve.at(-1)!.trainingLoss).toBeLessThan(result.curve[0].trainingLoss / 2);
    const movingMean = model.getLayer('bn1').getWeights()[2].dataSync();
    expect(Math.max(...movingMean.map(Math.abs))).toBeGreaterThan(0.1);
    expect(evaluateModel(model, shifted).accuracy).toBeGreaterThan(0.95);
    model.dispose();
  });

  it('keeps no tensor: equal counts after every epoch and after the run', async () => {
    const [training, validation] = [blobs(60, 1), blobs(30, 2)];
    const model = mlp(training, 3);
    const before = tf.memory().numTensors;
    const counts: number[] = [];
    const onProgress = ({ record }: TrainingProgress): void => {
      if (record) counts.push(tf.memory().numTensors);
    };
    await trainMap(model, training, validation, { epochs: 6, batchSize: 16 }, { onProgress });
    expect(new Set(counts).size).toBe(1);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
    expect(tf.memory().numTensors).toBe(before - 4);
  });

  it('reports every step, the curve row with the last of an epoch', async () => {
    const training = blobs(50, 1);
    const model = mlp(training, 3);
    const seen: [number, number][] = [];
    const records: EpochRecord[] = [];
    const onProgress = ({ epoch, step, stepsPerEpoch, record }: TrainingProgress): void => {
      seen.push([epoch, step]);
      expect(record !== undefined).toBe(step === stepsPerEpoch);
      if (record) records.push(record);
    };
    const { curve } = await trainMap(model, training, undefined, { epochs: 2, batchSize: 20 }, { onProgress });
    expect(seen).toEqual([
      [1, 1],
      [1, 2],
      [1, 3],
      [2, 1],
      [2, 2],
      [2, 3],
    ]);
    expect(records).toEqual(curve);
    expect(curve[0]).not.toHaveProperty('validationNll');
    model.dispose();
  });

  it('stops on request, between two steps', async () => {
    const training = blobs(50, 1);
    const model = mlp(training, 3);
    const controller = new AbortController();
    let stepCount = 0;
    const onProgress = (): void => {
      if (++stepCount === 3) controller.abort();
    };
    const before = tf.memory().numTensors;
    const run = trainMap(model, training, undefined, { epochs: 50, batchSize: 10 }, { onProgress, signal: controller.signal });
    await expect(run).rejects.toMatchObject({ code: 'CANCELLED', exitCode: 130 });
    expect(stepCount).toBe(3);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });

  it('refuses a loss that is not finite, with epoch and remedy', async () => {
    const training = sine(64, 1);
    const model = mlp(training, 1);
    const run = trainMap(model, training, undefined, {
      epochs: 50,
      batchSize: 64,
      optimiser: 'sgd-momentum',
      learningRate: 1e6,
      schedule: 'constant',
    });
    await expect(run).rejects.toMatchObject({ code: 'NUMERICAL_FAILURE', message: expect.stringMatching(/epoch \d+.*learningRate/) });
    model.dispose();
  });

  it('refuses models and data that do not fit each other', async () => {
    const training = blobs(30, 1);
    const wide = mlp(training, 4);
    await expect(trainMap(wide, training, undefined)).rejects.toMatchObject({
      code: 'SHAPE_MISMATCH',
      message: expect.stringContaining('3 outputs'),
    });
    wide.dispose();
    const model = mlp(training, 3);
    await expect(trainMap(model, bars(4, 8, 1, 1), undefined)).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' });
    await expect(trainMap(model, training, { ...training, count: 31 })).rejects.toMatchObject({
      code: 'DATA_INVALID',
      message: expect.stringMatching(/^validation data/),
    });
    await expect(trainMap(model, training, undefined, { momentum: 1 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    model.dispose();
    const softmax = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2], activation: 'softmax' })] });
    await expect(trainMap(softmax, training, undefined)).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringContaining('softmax'),
    });
    softmax.dispose();
  });
});
