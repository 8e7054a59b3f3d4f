import { describe, expect, it } from 'vitest';
import { compileFitSpec, type FitSpecInput } from '../fit-spec.ts';
import { checkSpread, isSpread, SPREAD_SIZE_MIN, type SpreadFacts } from './may-spread.ts';

const BASE: FitSpecInput = { model: 'm', data: 'd', subnetwork: 'random:9', output: 'o' };
const LARGE: SpreadFacts = { size: SPREAD_SIZE_MIN + 1000, isSequence: false, isValidated: false };

const spreads = (input: Partial<FitSpecInput>, facts: Partial<SpreadFacts> = {}, reducerCount = 2): boolean =>
  isSpread(compileFitSpec({ ...BASE, ...input }), { ...LARGE, ...facts }, reducerCount);

describe('isSpread', () => {
  it.each<[string, Partial<FitSpecInput>, Partial<SpreadFacts>, number, boolean]>([
    ['a given prior, large, two reducers', { priorPrecision: 3 }, {}, 2, true],
    ['a prior from a file', { priorPrecision: { file: 'f' } }, { isValidated: true }, 4, true],
    ['the evidence beyond the eigendecomposition', { priorPrecision: 'evidence' }, {}, 2, true],
    ['auto without validation data, which is the evidence', {}, {}, 2, true],
    ['auto with validation data', {}, { isValidated: true }, 2, false],
    ['the evidence of a size that an eigendecomposition serves', { priorPrecision: 'evidence' }, { size: 8000 }, 2, false],
    ['a prior per layer', { priorPrecision: 'evidence', priorStructure: 'layer' }, {}, 2, false],
    ['a noise that is tuned', { priorPrecision: 'evidence', tuneNoise: true }, {}, 2, false],
    ['several sizes', { priorPrecision: 3 }, { isSequence: true }, 2, false],
    ['a continued fit', { priorPrecision: 3, continues: 'p' }, {}, 2, false],
    ['a small one', { priorPrecision: 3 }, { size: SPREAD_SIZE_MIN - 1 }, 2, false],
    ['one reducer', { priorPrecision: 3 }, {}, 1, false],
    ['no reducer', { priorPrecision: 3 }, {}, 0, false],
  ])('by itself, %s', (_, input, facts, reducerCount, expected) => {
    expect(spreads(input, facts, reducerCount)).toBe(expected);
  });

  it('is as the specification says, where that can be', () => {
    expect(spreads({ priorPrecision: 3, factorise: 'one' })).toBe(false);
    expect(spreads({ priorPrecision: 3, factorise: 'spread' }, { size: 10 }, 1)).toBe(true);
    expect(() => spreads({ priorPrecision: 3, factorise: 'spread' }, {}, 0)).toThrow(
      "factorise 'spread': expected a coordinator with reducers, got none; start them, or use 'auto'",
    );
    expect(() => checkSpread(compileFitSpec({ ...BASE, factorise: 'spread' }), { ...LARGE, isValidated: true })).toThrow(
      "factorise 'spread': expected a fit whose factor reducers can make, got one they cannot: prior precision 'auto' with structure 'scalar' is tuned in one process; use 'auto'",
    );
    expect(() => compileFitSpec({ ...BASE, factorise: 'both' as never })).toThrow("factorise: expected auto, one or spread, got 'both'");
  });
});
