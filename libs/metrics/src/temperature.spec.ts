import { describe, expect, it } from 'vitest';
import { fitTemperature, meanLogLikelihood, softmax } from './index.ts';

/** A deterministic sequence that fills 0..1 evenly (Kronecker); two steps that are not rationally related fill the square. */
const sequence = (count: number, step: number) => Array.from({ length: count }, (_, i) => ((i + 1) * step) % 1);

/** Logits of two classes, scaled by `scale`, and labels drawn so that the unscaled logits are calibrated. */
function overconfident(scale: number, count = 4000): { logits: number[]; labels: number[] } {
  const f = sequence(count, 0.7548776662466927).map((x) => 6 * x - 3);
  const u = sequence(count, 0.5698402909980532);
  const labels = f.map((value, n) => (u[n] < 1 / (1 + Math.exp(-value)) ? 1 : 0));
  return { logits: f.flatMap((value) => [0, scale * value]), labels };
}

describe('fitTemperature', () => {
  it('finds the scale that was applied to calibrated logits', () => {
    expect(fitTemperature(overconfident(5).logits, overconfident(5).labels).temperature).toBeCloseTo(5, 0);
    const { temperature } = fitTemperature(overconfident(1).logits, overconfident(1).labels);
    expect(fitTemperature(overconfident(5).logits, overconfident(5).labels).temperature).toBeCloseTo(5 * temperature, 4);
  });

  it('hand-computed: 3 of 4 right at a margin of 1 gives T = 1 / log 3', () => {
    const fit = fitTemperature([1, 0, 1, 0, 1, 0, 1, 0], [0, 0, 0, 1]);
    expect(fit.temperature).toBeCloseTo(1 / Math.log(3), 5);
    expect(fit.negativeLogLikelihood).toBeCloseTo(-(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25)), 10);
    expect(fit.atBound).toBe(false);
  });

  it('is no worse than any temperature of a fine grid', () => {
    const { logits, labels } = overconfident(0.3);
    const fit = fitTemperature(logits, labels);
    for (let logT = -3; logT <= 3; logT += 0.1) {
      const scaled = logits.map((f) => f / Math.exp(logT));
      expect(fit.negativeLogLikelihood).toBeLessThanOrEqual(-meanLogLikelihood(softmax(scaled, 2), labels) + 1e-12);
    }
  });

  it('says so when the loss has no minimum inside the bounds', () => {
    expect(fitTemperature([2, 0, 0, 2], [0, 1])).toMatchObject({ atBound: true });
    expect(fitTemperature([2, 0, 0, 2], [0, 1]).temperature).toBeCloseTo(0.001, 6);
    const wrong = fitTemperature([2, 0, 0, 2], [1, 0], { maxTemperature: 50 });
    expect(wrong.atBound).toBe(true);
    expect(wrong.temperature).toBeCloseTo(50, 3);
  });
});
