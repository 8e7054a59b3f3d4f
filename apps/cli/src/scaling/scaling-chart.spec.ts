import { STAGES } from '@sublace/simulation';
import { describe, expect, it } from 'vitest';
import { scalingChart } from './scaling-chart.ts';
import { SOURCE_NAMES, type ScalingPoint, type Source } from './scaling-point.ts';

function point(source: Source, workerCount: number): ScalingPoint {
  const stages = STAGES.map((stage) => ({ stage, seconds: 2 }));
  return { source, workerCount, seconds: 12, speedUp: workerCount, stages };
}

describe('scalingChart', () => {
  it('says of every source that it shows what it is, and of no other', () => {
    const svg = scalingChart('a < b', [point('measured', 1), point('measured', 2), point('predicted', 100)]);
    expect(svg).toMatch(/^<svg/);
    expect(svg).toContain('a &lt; b');
    for (const name of [SOURCE_NAMES.measured, SOURCE_NAMES.predicted, 'ideal', ...STAGES]) expect(svg).toContain(`>${name}<`);
    for (const name of [SOURCE_NAMES.crowded, SOURCE_NAMES.simulated]) expect(svg).not.toContain(name);
  });

  it('draws bars of what was not measured paler', () => {
    const isPale = (source: Source): boolean => scalingChart('', [point(source, 1)]).includes('fill="rgb(0,114,178)" fill-opacity="0.45"');
    expect((['measured', 'crowded', 'predicted', 'simulated'] as const).map(isPale)).toEqual([false, false, true, true]);
  });
}); // prettier-ignore
