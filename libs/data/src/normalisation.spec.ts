import { describe, expect, it } from 'vitest';
import {
  createRandom,
  denormaliseMeans,
  denormaliseVariances,
  fitNormalisation,
  normaliseInputs,
  normaliseTargets,
  type Dataset,
} from './index.ts';

const random = createRandom(5);
const vectors: Dataset = {
  name: 'vectors',
  count: 500,
  inputShape: [3],
  inputs: Float32Array.from({ length: 1500 }, (_, i) => [1000 + 0.01 * random.normal(), -3 * random.uniform(), 0.1][i % 3]),
  targets: { kind: 'values', values: Float32Array.from({ length: 500 }, () => 7 + 2 * random.normal()), width: 1 },
};

/** Mean and standard deviation of one column, the long way. */
function naive(values: Float32Array, column: number, width: number): [number, number] {
  const own = [...values].filter((_, i) => i % width === column);
  const mean = own.reduce((a, b) => a + b) / own.length;
  return [mean, Math.sqrt(own.reduce((sum, x) => sum + (x - mean) ** 2, 0) / own.length)];
}

describe('fitNormalisation', () => {
  const fit = fitNormalisation(vectors);

  it('takes moments per feature and per target, also where the mean dwarfs the deviation', () => {
    for (const column of [0, 1]) {
      const [mean, std] = naive(vectors.inputs, column, 3);
      expect(fit.inputMean[column]).toBeCloseTo(mean, 9);
      expect(fit.inputStd[column] / std).toBeCloseTo(1, 9);
    }
    const [mean, std] = naive((vectors.targets as { values: Float32Array }).values, 0, 1);
    expect([fit.targetMean![0], fit.targetStd![0]]).toEqual([expect.closeTo(mean, 9), expect.closeTo(std, 9)]);
  });

  it('gives a constant feature std 1', () => expect(fit.inputStd[2]).toBe(1));

  it('takes one pair over all pixels of images, and none for labels', () => {
    const images: Dataset = {
      name: 'i',
      count: 1,
      inputShape: [2, 2, 1],
      inputs: Float32Array.of(0, 0, 4, 4),
      targets: { kind: 'labels', labels: Int32Array.of(0), classCount: 1 },
    };
    expect(fitNormalisation(images)).toEqual({ inputMean: [2], inputStd: [2] });
  });

  it('refuses an empty data set', () => {
    expect(() => fitNormalisation({ ...vectors, count: 0, inputs: new Float32Array(0) })).toThrow('expected at least one example');
  });
});

describe('applying', () => {
  const fit = fitNormalisation(vectors);

  it('gives mean 0 and std 1, and leaves the source as it was', () => {
    const before = vectors.inputs.slice();
    const [mean, std] = naive(normaliseInputs(vectors.inputs, fit), 1, 3);
    expect([mean, std]).toEqual([expect.closeTo(0, 6), expect.closeTo(1, 6)]);
    expect(vectors.inputs).toEqual(before);
  });

  it('broadcasts a single pair', () => {
    expect(normaliseInputs(Float32Array.of(1, 3, 5, 7), { inputMean: [1], inputStd: [2] })).toEqual(Float32Array.of(0, 1, 2, 3));
  });

  it('denormalises means and variances of targets', () => {
    const normalisation = { inputMean: [0], inputStd: [1], targetMean: [10, 20], targetStd: [2, 3] };
    expect(normaliseTargets(Float32Array.of(12, 26), normalisation)).toEqual(Float32Array.of(1, 2));
    expect(denormaliseMeans([1, 2], normalisation)).toEqual(Float64Array.of(12, 26));
    expect(denormaliseVariances([1, 2], normalisation)).toEqual(Float64Array.of(4, 18));
    expect(denormaliseMeans([5], { inputMean: [0], inputStd: [1] })).toEqual(Float64Array.of(5));
  });
});
