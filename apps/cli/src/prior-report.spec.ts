import type { PosteriorManifest } from '@sublace/pipeline';
import { describe, expect, it } from 'vitest';
import { describeTuning } from './prior-report.ts';

const manifest = (prior: object): PosteriorManifest =>
  ({ priorPrecision: 10, prior: { structure: 'scalar', mean: 0, ...prior } }) as PosteriorManifest;

describe('describeTuning', () => {
  it('shows every point of the curve, marks the chosen one, and cuts off what explodes', () => {
    const curve = [
      { priorPrecision: 1, loss: 100 },
      { priorPrecision: 10, loss: 0.5 },
      { priorPrecision: 100, loss: 0.55 },
      { priorPrecision: 1000, loss: 0.6 },
    ];
    const [, , first, second, third, fourth] = describeTuning(manifest({ method: 'widest', curve })).split('\n');
    expect(first).toMatch(/1\.00 .*100\.0000.*#{40}>$/);
    expect(second).toMatch(/10\.0 \*.*0\.5000/);
    expect(second).not.toContain('#');
    expect(third).toMatch(/[^#]#{20}$/);
    expect(fourth).toMatch(/[^#]#{40}>?$/);
  });

  it('says how far the evidence rose, and nothing of a given prior', () => {
    expect(describeTuning(manifest({ method: 'evidence', structure: 'layer', ascent: [-20, -10, -9.5] }))).toBe(
      'one prior precision per weight tensor: 2 rounds, log evidence from -20.00 to -9.50',
    );
    expect(describeTuning(manifest({ method: 'given' }))).toBe('');
  });
});
