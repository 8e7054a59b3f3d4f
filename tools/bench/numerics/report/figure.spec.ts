import { describe, expect, it } from 'vitest';
import type { Measurement, ProcessReport } from '../measurement.ts';
import { floorSeconds, joinProcesses } from './figure.ts';

const floors = { float32: 100e9, float64: 50e9, copy: 10e9 };

function reportOf(...measurements: Measurement[]): ProcessReport {
  return { measurements, failures: [], floors, startBytes: 10, peakBytes: 100, runtime: 'tensorflow' };
}

describe('floorSeconds', () => {
  it('adds up what is done one after the other', () => {
    expect(floorSeconds({ float32Flops: 200e9, float64Flops: 50e9, copiedBytes: 5e9, seconds: 0.25 }, floors)).toBe(2 + 1 + 0.5 + 0.25);
    expect(floorSeconds({}, floors)).toBe(0);
  });
});

describe('joinProcesses', () => {
  const examples = (amount: number) => ({ amount, unit: 'examples' }) as const;

  it('counts the slowest process of each repetition, and the work of all', () => {
    const first = { problem: 'p', quantity: 'q', seconds: [1, 2, 4], work: examples(100), floor: { float32Flops: 50e9 }, floorName: 'f' };
    const second = { ...first, seconds: [2, 1, 3], work: examples(60), floor: { float32Flops: 30e9 } };
    const { figures, peakBytes, floors: together } = joinProcesses('case', [reportOf(first), reportOf(second)]);
    // 160 examples in 2, 2 and 4 seconds.
    expect(figures).toEqual([
      {
        problem: 'p',
        quantity: 'q',
        unit: 'examples/s',
        median: 80,
        lower: 60,
        upper: 80,
        repetitions: 3,
        floor: { name: 'f', value: 320, share: 0.25 },
        facts: [],
      },
    ]);
    expect(peakBytes).toBe(200);
    expect(together).toEqual({ float32: 200e9, float64: 100e9, copy: 20e9 });
  });

  it('gives times in a unit that is easy to read', () => {
    const [short, long] = joinProcesses('case', [
      reportOf(
        { problem: 'p', quantity: 'short', seconds: [0.002, 0.004], floor: { seconds: 0.001 } },
        { problem: 'p', quantity: 'long', seconds: [3] },
      ),
    ]).figures;
    expect(short).toMatchObject({ unit: 'ms', median: 3, floor: { value: 1 } });
    expect(short.floor?.share).toBeCloseTo(1 / 3, 12);
    expect(long).toMatchObject({ unit: 's', median: 3 });
    expect(long.floor).toBeUndefined();
  });

  it('refuses processes that measured something else', () => {
    const one = reportOf({ problem: 'p', quantity: 'q', seconds: [1, 2] });
    const other = reportOf({ problem: 'p', quantity: 'q', seconds: [1] });
    expect(() => joinProcesses('case', [one, other])).toThrow('expected the same repetitions');
    expect(() => joinProcesses('case', [one, reportOf()])).toThrow('expected the same repetitions');
  });
});
