import { describe, expect, it } from 'vitest';
import { isStable, ratio, type CaseFigures, type WindowFigures } from './measure.ts';

const windows = (...rates: number[]): WindowFigures[] => rates.map((perSecond) => ({ p50: 1000 / perSecond, perSecond }));

describe('isStable', () => {
  it.each([
    ['three windows that agree', windows(100, 105, 95), true],
    ['two windows', windows(100, 100), false],
    ['a last window that is 20 % off', windows(100, 100, 130), false],
    ['a first window that is off, with three after it', windows(50, 100, 105, 95), true],
    ['rates that agree while latencies do not', [1, 1, 2].map((p50) => ({ p50, perSecond: 100 })), false],
    ['windows without an answer', [1, 2, 3].map(() => ({ p50: NaN, perSecond: 0 })), false],
  ])('%s', (_, figures, expected) => {
    expect(isStable(figures)).toBe(expected);
  });
});

describe('ratio', () => {
  it('compares windows of one round, so that a slow moment of the machine falls out', () => {
    // The second round ran on a machine half as fast.
    const of = { windows: windows(50, 25, 50) } as unknown as CaseFigures;
    const to = { windows: windows(100, 50, 100) } as unknown as CaseFigures;
    expect(ratio(of, to, 'perSecond')).toBe(0.5);
    expect(ratio(of, to, 'p50')).toBe(2);
  });

  it('is not a number when nothing was answered', () => {
    const none = { windows: [{ p50: NaN, perSecond: 0 }] } as unknown as CaseFigures;
    expect(ratio(none, none, 'p50')).toBeNaN();
  });
});
