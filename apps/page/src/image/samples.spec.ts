import { describe, expect, it } from 'vitest';
import { samplesFor } from './samples.ts';

describe('samplesFor', () => {
  it('has ten digits for grey images of ten classes, each with ink and none like another', () => {
    const samples = samplesFor(1, 10);
    expect(samples.map(({ name }) => name)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    const images = samples.map((sample) => sample.render(28, 28, 1).pixels);
    for (const pixels of images) {
      const inked = pixels.filter((value) => value > 0.5).length;
      expect(inked).toBeGreaterThan(40);
      expect(inked).toBeLessThan(200);
    }
    for (let i = 0; i < 10; i++)
      for (let k = 0; k < i; k++) expect(images[i].reduce((sum, value, p) => sum + Math.abs(value - images[k][p]), 0)).toBeGreaterThan(20);
  });

  it('has pictures in colour for everything else, in range', () => {
    for (const sample of samplesFor(3, 10)) {
      const { pixels } = sample.render(8, 12, 3);
      expect(pixels).toHaveLength(8 * 12 * 3);
      expect(pixels.every((value) => value >= 0 && value <= 1)).toBe(true);
    }
  });
});
