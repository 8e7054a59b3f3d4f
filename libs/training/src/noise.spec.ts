import { startBackend } from '@sublace/backend';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { computeOutputs, evaluateModel } from './evaluation.ts';
import type { Examples } from './examples.ts';
import { seededNormal } from './testdata/tiny-problems.ts';
import { trainMap } from './train-map.ts';

beforeAll(async () => {
  await startBackend({ threads: 1 });
});

/** One linear layer: its maximum likelihood is known. */
const linear = (outputCount: number): tf.LayersModel =>
  tf.sequential({ layers: [tf.layers.dense({ units: outputCount, inputShape: [1], kernelInitializer: 'zeros' })] });

/** y_c = x + exp((slope x + offset_c) / 2) e */
function lines(count: number, slope: number, offsets: readonly number[], seed = 1): Examples {
  const normal = seededNormal(seed);
  const inputs = Float32Array.from({ length: count }, normal);
  const values = Float32Array.from({ length: count * offsets.length }, (_, i) => {
    const x = inputs[Math.floor(i / offsets.length)];
    return x + Math.exp((slope * x + offsets[i % offsets.length]) / 2) * normal();
  });
  return { count, inputShape: [1], inputs, targets: { kind: 'values', values, width: offsets.length } };
}

const options = { epochs: 50, batchSize: 100, learningRate: 0.1, weightDecay: 0 };

describe('noise learned with the weights', () => {
  it.each(['learned', 'learned-per-output'] as const)('ends at the mean square of the residuals: %s', async (noise) => {
    const examples = lines(200, 0, [-2, 0.5]);
    const model = linear(2);
    const before = tf.memory().numTensors;
    const { noiseVariance, curve } = await trainMap(model, examples, examples, { ...options, noise });
    expect(tf.memory().numTensors).toBe(before);
    const outputs = computeOutputs(model, examples);
    const values = examples.targets.kind === 'values' ? examples.targets.values : new Float32Array();
    const squares = [...values].map((value, i) => (value - outputs[i]) ** 2);
    const mean = (of: number[]): number => of.reduce((a, b) => a + b, 0) / of.length;
    const each = [0, 1].map((c) => mean(squares.filter((_, i) => i % 2 === c)));
    const expected = noise === 'learned' ? [mean(squares)] : each;
    const got = [noiseVariance].flat() as number[];
    expect(got).toHaveLength(expected.length);
    got.forEach((value, c) => {
      expect(value / expected[c]).toBeCloseTo(1, 1);
    });
    // The NLL of the curve is at the learned noise.
    expect(evaluateModel(model, examples, noiseVariance).nll).toBeCloseTo(Math.min(...curve.map((record) => record.validationNll!)), 10);
    model.dispose();
  });
});

describe('noise predicted by the network', () => {
  it('finds how the variance grows with the input, and is likelier than constant noise', async () => {
    const examples = lines(1000, 1, [-1]);
    const model = linear(2);
    await trainMap(model, examples, undefined, { ...options, batchSize: 500, noise: 'predicted' });
    const [kernel, bias] = model.getWeights().map((weight) => [...weight.dataSync()]);
    // The information of a log variance is 1/2 per example: standard errors of sqrt(2 / 1000).
    const expected = [kernel[0] - 1, kernel[1] - 1, bias[0], bias[1] + 1];
    for (const error of expected) expect(Math.abs(error)).toBeLessThan(5 * Math.sqrt(2 / 1000));
    const { nll, rmse } = evaluateModel(model, examples, 'predicted');
    const constant = linear(1);
    await trainMap(constant, examples, undefined, { ...options, batchSize: 500 });
    expect(nll).toBeLessThan(evaluateModel(constant, examples).nll - 0.05);
    expect(rmse).toBeLessThan(1.1 * (evaluateModel(constant, examples).rmse ?? 0));
    model.dispose();
    constant.dispose();
  });
});

describe('binary answers', () => {
  it('are learned, and judged one by one', async () => {
    const normal = seededNormal(4);
    const inputs = Float32Array.from({ length: 300 }, normal);
    const values = Float32Array.from({ length: 600 }, (_, i) => ((i % 2 === 0 ? 1 : -1) * inputs[i >> 1] + 0.2 * normal() > 0 ? 1 : 0));
    const examples: Examples = { count: 300, inputShape: [1], inputs, targets: { kind: 'flags', values, width: 2 } };
    const model = linear(2);
    const { curve } = await trainMap(model, examples, examples, options);
    const logits = computeOutputs(model, examples);
    const nll = [...logits].reduce((sum, f, i) => sum + Math.log1p(Math.exp(values[i] === 1 ? -f : f)), 0) / 300;
    const right = logits.filter((f, i) => f > 0 === (values[i] === 1)).length;
    expect(evaluateModel(model, examples)).toEqual({ nll: expect.closeTo(nll, 8), accuracy: right / 600 });
    expect(right / 600).toBeGreaterThan(0.9);
    expect(curve.at(-1)?.validationAccuracy).toBe(right / 600);
    model.dispose();
  });
});

describe('refusals', () => {
  const flags: Examples = {
    count: 1,
    inputShape: [1],
    inputs: Float32Array.of(1),
    targets: { kind: 'flags', values: Float32Array.of(0.5), width: 1 },
  };

  it.each<[string, () => Promise<unknown>]>([
    [
      "training: expected noise 'unit' for flags, got 'learned'; only regression has noise",
      () => trainMap(linear(1), flags, undefined, { noise: 'learned' }),
    ],
    ['training data: expected targets of 0 or 1, got 0.5 at index 0', () => trainMap(linear(1), flags, undefined)],
    [
      'training: expected a model with 2 outputs as the targets and their noise have, got [1]',
      () => trainMap(linear(1), lines(3, 0, [0]), undefined, { noise: 'predicted' }),
    ],
    [
      'training: expected noise to be one of unit, learned, learned-per-output, predicted, got "none"',
      () => trainMap(linear(1), flags, undefined, { noise: 'none' as never }),
    ],
  ])('%s', async (message, act) => {
    await expect(act()).rejects.toThrow(message);
  });
});
