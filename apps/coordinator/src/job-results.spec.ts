import { describe, expect, it } from 'vitest';
import type { Block } from '@sublace/partials';
import { JobResults } from './job-results.ts';

const selection = { maxDiagonal: 100 };

function vector(name: string, ...values: number[]): Block {
  return { name, shape: [values.length], data: Float32Array.from(values) };
}

describe('JobResults', () => {
  it('sums the passes over the data, keeps the rest, and hands out what each phase needs', () => {
    const results = new JobResults();
    results.commit('score', 0, vector('score/a/0', 1, 2), undefined);
    results.commit('score', 1, vector('score/a/0', 10, 20), undefined);
    expect(results.inputNames('select')).toEqual(['score/a/0']);
    results.commit('select', 0, { name: 'indices/0', shape: [2], data: Int32Array.of(0, 1) }, undefined);
    expect(results.inputNames('accumulate')).toEqual(['indices/0']);
    for (const name of ['ggn/10/0', 'ggn/2/0']) results.commit('accumulate', 0, vector(name, 0.1), selection);
    expect(results.inputNames('finalise')).toEqual(['indices/0', 'ggn/2/0', 'ggn/10/0', 'score/a/0']);
    expect(results.input('score/a/0')).toEqual({ name: 'score/a/0', shape: [2], data: Float64Array.of(11, 22) });
    expect(() => results.input('ggn/0/0')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  it('counts a block of a shard once, whoever brings it, and asks a successor only for the rest', () => {
    const results = new JobResults();
    const names = ['ggn/0/0', 'ggn/1/0'];
    expect(results.missing('accumulate', 0, names)).toEqual(names);
    expect(results.commit('accumulate', 0, vector('ggn/0/0', 3), selection)).toBe(true);
    expect(results.missing('accumulate', 0, names)).toEqual(['ggn/1/0']);
    expect(results.commit('accumulate', 0, vector('ggn/0/0', 3), selection)).toBe(false);
    expect(results.commit('accumulate', 0, vector('ggn/1/0', 4), selection)).toBe(true);
    expect(results.missing('accumulate', 0, names)).toEqual([]);
    expect([...results.input('ggn/0/0').data, ...results.input('ggn/1/0').data]).toEqual([3, 4]);
  });

  it('refuses a shard whose blocks are not those of the others: the sum would miss data', () => {
    const results = new JobResults();
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error;
    expect(() => results.missing('score', 0, ['ggn/0/0'])).toThrow(invalid);
    expect(() => results.missing('score', 0, ['score/a/0', 'score/a/0'])).toThrow(invalid);
    results.missing('score', 0, ['score/a/0', 'score/a/1']);
    expect(() => results.missing('score', 1, ['score/a/0'])).toThrow(invalid);
    expect(results.missing('score', 1, ['score/a/1', 'score/a/0'])).toHaveLength(2);
  });

  it('refuses what cannot be summed', () => {
    const results = new JobResults();
    const refused = (code: string) => expect.objectContaining({ code }) as Error;
    results.commit('accumulate', 0, vector('ggn/0/0', 1, 1), selection);
    expect(() => results.commit('accumulate', 1, vector('ggn/0/0', 1), selection)).toThrow(refused('SHAPE_MISMATCH'));
    expect(() => results.commit('accumulate', 2, vector('ggn/0/0', 1, NaN), selection)).toThrow(refused('NUMERICAL_FAILURE'));
    expect(() => results.commit('accumulate', 3, vector('ggn/0/0', 1, 1e6), selection)).toThrow(refused('SUM_OVERFLOW'));
    expect(() => results.commit('accumulate', 4, vector('ggn/1/0', 1), {})).toThrow(refused('INVALID_ARGUMENT'));
    expect(() => results.commit('score', 0, { name: 'score/a/0', shape: [1], data: Float64Array.of(1) }, undefined)).toThrow(
      refused('INVALID_ARGUMENT'),
    );
  });
});
