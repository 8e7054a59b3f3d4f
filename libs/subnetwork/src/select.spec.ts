import { ParameterLayout } from '@sublace/network';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSelectionRule, selectNestedSubnetworks, selectSubnetwork, type SelectionInput } from './index.ts';

const layout = new ParameterLayout([
  { layer: 'conv', className: 'Conv2D', weight: 'kernel', kind: 'kernel', shape: [2, 3] },
  { layer: 'conv', className: 'Conv2D', weight: 'bias', kind: 'bias', shape: [3] },
  { layer: 'head', className: 'Dense', weight: 'kernel', kind: 'kernel', shape: [3, 2] },
  { layer: 'head', className: 'Dense', weight: 'bias', kind: 'bias', shape: [2] },
]);
/** Positions: conv/kernel 0-5, conv/bias 6-8, head/kernel 9-14, head/bias 15-16. Weights 1 and 9 are dead. */
const diagonalGgn = Float64Array.of(4, 0, 3, 9, 1, 2, 5, 5, 5, 0, 7, 6, 8, 0.5, 7, 1, 1);
const weights = Float64Array.from({ length: 17 }, (_, i) => (i % 2 === 0 ? i : -i));

const swagVariances = Float32Array.from({ length: 17 }, (_, i) => (i * 5) % 17);
const scores = { layout, diagonalGgn, gradientEnergy: diagonalGgn, swagVariances, weights };
const input = { ...scores, candidates: ['kernels'], keepDead: false, seed: 1 } as const;

function select(rule: string, extra: Partial<SelectionInput> = {}): number[] {
  return [...selectSubnetwork({ ...input, rule: parseSelectionRule(rule), ...extra }).indices];
}

describe('selectSubnetwork', () => {
  it('ranks kernels by each score, dead weights left out', () => {
    expect(select('largest-variance:3')).toEqual([4, 5, 13]); // smallest non-zero diagonal
    expect(select('gradient-energy:3')).toEqual([3, 10, 12]); // 7 is tied: the smaller position wins
    expect(select('largest-magnitude:2')).toEqual([13, 14]);
    expect(select('swag-variance:3')).toEqual([3, 10, 13]); // 15, 16 and 14
  });

  it('calls a weight dead whose diagonal is no more than rounding of the largest', () => {
    const rounded = diagonalGgn.map((value) => (value === 0 ? 9 * 2 ** -47 : value));
    expect(select('largest-variance:3', { diagonalGgn: rounded })).toEqual([4, 5, 13]);
    expect(select('largest-variance:3', { diagonalGgn: diagonalGgn.map((value) => (value === 0 ? 9 * 2 ** -45 : value)) })).toEqual([
      1, 9, 13,
    ]);
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
    const { report } = selectSubnetwork({ ...input, rule: parseSelectionRule('gradient-energy:3') });
    expect(report).toMatchObject({ size: 3, parameterCount: 17, candidateCount: 12, deadCount: 2, deadSelectedCount: 0, scoredCount: 17 });
    expect(report.diagonalMassShare).toBeCloseTo((9 + 7 + 8) / 64.5, 12);
    expect(report.layers.map(({ selected, dead }) => [selected, dead])).toEqual([[1, 1], [0, 0], [2, 1], [0, 0]]); // prettier-ignore
    const shares = report.layers.map((layer) => layer.diagonalMassShare);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(report.diagonalMassShare, 12);
    expect(shares[2]).toBeCloseTo((7 + 8) / 64.5, 12);
  });

  it('counts the dead weights that it was told to keep', () => {
    const { report } = selectSubnetwork({ ...input, rule: parseSelectionRule('largest-variance:3'), keepDead: true });
    expect(report).toMatchObject({ deadCount: 2, deadSelectedCount: 2 });
  });

  it('refuses, in one line, what cannot be chosen', () => {
    const dead = { diagonalGgn: new Float64Array(17) };
    for (const rule of ['random:3', 'last-layer', 'names:conv']) {
      const message = `expected candidates that the data say something about, got ${rule === 'names:conv' ? 9 : rule === 'random:3' ? 12 : 8} whose`;
      expect(() => select(rule, dead)).toThrow(message);
      expect(select(rule, { ...dead, keepDead: true }).length).toBeGreaterThan(0); // asked for, and reported
    }
    expect(() => select('random:11')).toThrow(
      'subnetwork random:11: expected at most 10 weights (2 dead ones left out; --keep-dead keeps them), got 11',
    );
    expect(() => select('names:dense*')).toThrow('weights: conv/kernel, conv/bias, head/kernel, head/bias');
    expect(() => select('indices:file', { listed: Int32Array.of(17) })).toThrow('expected integers in 0..16, got 17');
    expect(() => select('indices:file', { listed: Int32Array.of(3, 3) })).toThrow('got 3 twice');
    expect(() => parseSelectionRule('largest-variance')).toThrow("got 'largest-variance'");
    expect(() => parseSelectionRule('random:1.5')).toThrow('S a positive integer');
    for (const sizes of ['5,5', '5,', ',5', '0,5', '5,x'])
      expect(() => parseSelectionRule(`random:${sizes}`)).toThrow(`got 'random:${sizes}'`);
  });
});

describe('selectNestedSubnetworks', () => {
  it('gives for each size what a selection of that size alone gives, each inside the next', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('random', 'largest-magnitude', 'largest-variance', 'swag-variance', 'gradient-energy'),
        fc.uniqueArray(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 0, max: 100 }),
        (rule, sizes, seed) => {
          const sequence = selectNestedSubnetworks({ ...input, seed, rule: parseSelectionRule(`${rule}:${sizes.join(',')}`) });
          const ascending = sizes.slice().sort((a, b) => a - b);
          expect(sequence.map(({ indices }) => [...indices])).toEqual(ascending.map((size) => select(`${rule}:${size}`, { seed })));
          for (let i = 1; i < sequence.length; i++) {
            const larger = new Set(sequence[i].indices);
            expect(sequence[i - 1].indices.every((index) => larger.has(index))).toBe(true);
          }
        },
      ),
      { seed: 1 },
    );
  });
});
