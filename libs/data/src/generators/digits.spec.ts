import { describe, expect, it } from 'vitest';
import { datasetDigest, loadDataset, rotateImages, sliceDataset, type Dataset } from '../index.ts';

const train = await loadDataset('digits?count=1500');
const test = await loadDataset('digits?count=200&split=test');
const labelsOf = ({ targets }: Dataset) => (targets.kind === 'labels' ? targets.labels : new Int32Array());

describe('digits', () => {
  it('is grey images of whole numbers 0..255 and ten classes, 10,000 and 2,000 by default', async () => {
    expect([train.inputShape, train.targets.kind === 'labels' && train.targets.classCount]).toEqual([[28, 28, 1], 10]);
    expect(train.inputs.every((value) => Number.isInteger(value) && value >= 0 && value <= 255)).toBe(true);
    expect((await loadDataset('digits')).count).toBe(10_000);
    expect((await loadDataset('digits', { split: 'test' })).count).toBe(2_000);
  });

  it('has all classes about equally often', () => {
    const counts = new Array<number>(10).fill(0);
    for (const label of labelsOf(train)) counts[label]++;
    for (const n of counts) expect(Math.abs(n - 150)).toBeLessThan(5 * Math.sqrt(150));
  });

  it('depends on the seed alone: the same bits everywhere, a smaller count is a prefix', async () => {
    expect(datasetDigest(sliceDataset(train, 0, 100))).toBe('a72c7833fd753c5433d942dfc3d138b6f37fce5917a2a6c3bd8761a3b9de01b8');
    expect(await loadDataset('digits?count=100')).toEqual({ ...sliceDataset(train, 0, 100), name: 'digits' });
    expect(datasetDigest(await loadDataset('digits?count=100&seed=1'))).not.toBe(
      'a72c7833fd753c5433d942dfc3d138b6f37fce5917a2a6c3bd8761a3b9de01b8',
    );
  });

  it('shares no image between training and test', () => {
    const images = ({ inputs, count }: Dataset) => Array.from({ length: count }, (_, n) => inputs.subarray(n * 784, (n + 1) * 784).join());
    const seen = new Set(images(train));
    expect(seen.size).toBe(train.count);
    expect(images(test).some((image) => seen.has(image))).toBe(false);
  });

  it('is learnable and not trivial: the nearest of 1,500 images is right for most, not for all', () => {
    let correct = 0;
    for (let t = 0; t < test.count; t++) {
      let [best, bestDistance] = [-1, Infinity];
      for (let n = 0; n < train.count; n++) {
        let distance = 0;
        for (let i = 0; i < 784 && distance < bestDistance; i++) distance += (test.inputs[t * 784 + i] - train.inputs[n * 784 + i]) ** 2;
        if (distance < bestDistance) [best, bestDistance] = [n, distance];
      }
      if (labelsOf(train)[best] === labelsOf(test)[t]) correct++;
    }
    expect(correct / test.count).toBeGreaterThan(0.8);
    expect(correct / test.count).toBeLessThan(0.98);
  });

  it('draws a 6 that is not a turned 9: the nearest other image tells them apart more often than chance would', () => {
    const turned = rotateImages(train, 180);
    const imagesOf = ({ inputs }: Dataset, label: number) =>
      [...labelsOf(train)].flatMap((own, n) => (own === label ? [{ label, pixels: inputs.subarray(n * 784, (n + 1) * 784) }] : []));
    const images = [...imagesOf(train, 6), ...imagesOf(turned, 9)];
    const distance = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0);
    const correct = images.filter((image) => {
      const others = images.filter((other) => other !== image);
      const distances = others.map(({ pixels }) => distance(image.pixels, pixels));
      return others[distances.indexOf(Math.min(...distances))].label === image.label;
    });
    expect(correct.length / images.length).toBeGreaterThan(0.5 + 5 * Math.sqrt(0.25 / images.length)); // five standard errors above chance
  });
});
