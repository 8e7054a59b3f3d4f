import { describe, expect, it } from 'vitest';
import { learningRateAt } from './learning-rate.ts';
import { compileTrainingOptions } from './training-options.ts';

const rates = (options: Parameters<typeof compileTrainingOptions>[0], stepCount: number): number[] => {
  const compiled = compileTrainingOptions({ epochs: 10, learningRate: 0.2, ...options });
  return Array.from({ length: stepCount }, (_, step) => learningRateAt(compiled, step, stepCount));
};

describe('learningRateAt', () => {
  it('is constant', () => {
    expect(new Set(rates({ schedule: 'constant' }, 10))).toEqual(new Set([0.2]));
  });

  it('falls along half a cosine', () => {
    const cosine = rates({ schedule: 'cosine' }, 100);
    expect([cosine[0], cosine[50]]).toEqual([0.2, expect.closeTo(0.1, 12)]);
    expect(cosine[99]).toBeLessThan(1e-4);
    expect(cosine).toEqual([...cosine].sort((a, b) => b - a));
  });

  it('falls in steps', () => {
    const steps = rates({ schedule: 'step', stepMilestones: [0.5, 0.75], stepFactor: 0.1 }, 8);
    expect(steps.map((rate) => Number(rate.toPrecision(6)))).toEqual([0.2, 0.2, 0.2, 0.2, 0.02, 0.02, 0.002, 0.002]);
  });

  it('warms up to the full rate, then follows the schedule', () => {
    const warm = rates({ schedule: 'constant', warmUpEpochs: 2 }, 20);
    expect(warm.slice(0, 5).map((rate) => Number(rate.toPrecision(6)))).toEqual([0.05, 0.1, 0.15, 0.2, 0.2]);
    expect(rates({ schedule: 'cosine', warmUpEpochs: 2 }, 20)[4]).toBe(0.2);
  });
});
