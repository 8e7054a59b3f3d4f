import { ParameterLayout } from '@sublace/network';
import { describe, expect, it } from 'vitest';
import { parseSelectionRule, selectSubnetwork, type SelectionInput } from './index.ts';

const layout = new ParameterLayout([
  { layer: 'conv', weight: 'kernel', kind: 'kernel', shape: [2, 3] },
  { layer: 'conv', weight: 'bias', kind: 'bias', shape: [3] },
  { layer: 'head', weight: 'kernel', kind: 'kernel', shape: [3, 2] },
  { layer: 'head', weight: 'bias', kind: 'bias', shape: [2] },
]);
/** Positions: conv/kernel 0-5, conv/bias 6-8, head/kernel 9-14, head/bias 15-16. Weights 1 and 9 are dead. */
const diagonalGgn = Float64Array.of(4, 0, 3, 9, 1, 2, 5, 5, 5, 0, 7, 6, 8, 0.5, 7, 1, 1);
const weights = Float64Array.from({ length: 17 }, (_, i) => (i % 2 === 0 ? i : -i));

function select(rule: string, extra: Partial<SelectionInput> = {}): number[] {
  const input = { layout, candidates: 'kernels', keepDead: false, seed: 1, diagonalGgn, gradientEnergy: diagonalGgn, weights } as const;
  return [...selectSubnetwork({ ...input, rule: parseSelectionRule(rule), ...extra }).indices];
}

describe('selectSubnetwork', () => {
  it('ranks kernels by each score, dead weights left out', () => {
    expect(select('largest-variance:3')).toEqual([4, 5, 13]); // smallest non-zero diagonal
    expect(select('gradient-energy:3')).toEqual([3, 10, 12]); // 7 is tied: the smaller position wins
    expect(select('largest-magnitude:2')).toEqual([13, 14]);
  });

  it('would take dead weights first if they were kept', () => {
    expect(select('largest-variance:3', { keepDead: true })).toEqual([1, 9, 13]);
  });

  it('chooses at random by seed, without repetition', () => {
    expect(select('random:5')).toEqual(select('random:5'));
    expect(select('random:5')).not.toEqual(select('random:5', { seed: 2 }));
    expect(new Set(select('random:10')).size).toBe(10);
    // Every live kernel weight is chosen about as often as the others.
    const counts = new Map<number, number>();
    for (let seed = 0; seed < 600; seed++)
      for (const index of select('random:5', { seed })) counts.set(index, (counts.get(index) ?? 0) + 1);
    expect(counts.size).toBe(10);
    for (const count of counts.values()) expect(Math.abs(count - 300)).toBeLessThan(4 * Math.sqrt(600 * 0.25));
  });

  it('takes whole layers and names, biases too', () => {
    expect(select('last-layer')).toEqual([10, 11, 12, 13, 14, 15, 16]);
    expect(select('names:conv')).toEqual([0, 2, 3, 4, 5, 6, 7, 8]);
    expect(select('names:*/bias')).toEqual([6, 7, 8, 15, 16]);
    expect(select('indices:file', { listed: Int32Array.of(16, 3, 1) })).toEqual([3, 16]);
  });

  it('reports what was kept', () => {
    const { report } = selectSubnetwork({
      layout,
      rule: parseSelectionRule('gradient-energy:3'),
      candidates: 'kernels',
      keepDead: false,
      seed: 0,
      diagonalGgn,
      gradientEnergy: diagonalGgn,
      weights,
    });
    expect(report).toMatchObject({ size: 3, parameterCount: 17, candidateCount: 12, deadCount: 2, deadSelectedCount: 0 });
    expect(report.diagonalMassShare).toBeCloseTo((9 + 7 + 8) / 64.5, 12);
    expect(report.layers.map((layer) => layer.selected)).toEqual([1, 0, 2, 0]);
  });

  it('refuses, in one line, what cannot be chosen', () => {
    expect(() => select('random:11')).toThrow(
      'subnetwork random:11: expected at most 10 weights (2 dead ones left out; --keep-dead keeps them), got 11',
    );
    expect(() => select('names:dense*')).toThrow('weights: conv/kernel, conv/bias, head/kernel, head/bias');
    expect(() => select('indices:file', { listed: Int32Array.of(17) })).toThrow('expected integers in 0..16, got 17');
    expect(() => select('indices:file', { listed: Int32Array.of(3, 3) })).toThrow('got 3 twice');
    expect(() => parseSelectionRule('largest-variance')).toThrow("got 'largest-variance'");
    expect(() => parseSelectionRule('random:1.5')).toThrow('S a positive integer');
  });
});
