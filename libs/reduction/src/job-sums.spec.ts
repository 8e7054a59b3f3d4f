import { describe, expect, it } from 'vitest';
import type { Block } from '@sublace/partials';
import { JobSums } from './job-sums.ts';

const basis = { maxDiagonal: 100, digest: 'of a selection' };

function vector(name: string, ...values: number[]): Block {
  return { name, shape: [values.length], data: Float32Array.from(values) };
}

describe('JobSums', () => {
  it('sums the passes over the data, keeps the rest, and hands out what each phase needs', () => {
    const sums = new JobSums();
    sums.commit('score', 0, vector('score/a/0', 1, 2));
    sums.commit('score', 1, vector('score/a/0', 10, 20));
    expect(sums.inputNames('select')).toEqual(['score/a/0']);
    sums.commit('select', 0, { name: 'indices/0', shape: [2], data: Int32Array.of(0, 1) });
    expect(sums.inputNames('accumulate')).toEqual(['indices/0']);
    sums.missing('accumulate', 0, ['ggn/10/0', 'ggn/2/0'], basis);
    for (const name of ['ggn/10/0', 'ggn/2/0']) sums.commit('accumulate', 0, vector(name, 0.1));
    expect(sums.inputNames('finalise')).toEqual(['indices/0', 'ggn/2/0', 'ggn/10/0', 'score/a/0']);
    expect(sums.input('score/a/0')).toEqual({ name: 'score/a/0', shape: [2], data: Float64Array.of(11, 22) });
    expect(() => sums.input('ggn/0/0')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  it('counts a block of a shard once, whoever brings it, and asks a successor only for the rest', () => {
    const sums = new JobSums();
    const names = ['ggn/0/0', 'ggn/1/0'];
    expect(sums.missing('accumulate', 0, names, basis)).toEqual(names);
    expect(sums.commit('accumulate', 0, vector('ggn/0/0', 3))).toBe(true);
    expect(sums.missing('accumulate', 0, names, basis)).toEqual(['ggn/1/0']);
    expect(sums.commit('accumulate', 0, vector('ggn/0/0', 3))).toBe(false);
    expect(sums.commit('accumulate', 0, vector('ggn/1/0', 4))).toBe(true);
    expect(sums.missing('accumulate', 0, names, basis)).toEqual([]);
    expect([...sums.input('ggn/0/0').data, ...sums.input('ggn/1/0').data]).toEqual([3, 4]);
  });

  it('tells which shards have brought everything', () => {
    const sums = new JobSums();
    expect(sums.wholeShards('accumulate', 2)).toEqual([]);
    for (const shard of [0, 33]) sums.missing('accumulate', shard, ['ggn/0/0', 'ggn/1/0'], basis);
    sums.commit('accumulate', 33, vector('ggn/1/0', 4));
    expect(sums.wholeShards('accumulate', 40)).toEqual([]);
    sums.commit('accumulate', 33, vector('ggn/0/0', 4));
    sums.commit('accumulate', 0, vector('ggn/0/0', 4));
    expect(sums.wholeShards('accumulate', 40)).toEqual([33]);
    expect(sums.heldBytes).toBe(16);
  });

  it('hands out a sum that has grown since it was asked for', () => {
    const sums = new JobSums();
    sums.commit('score', 0, vector('score/a/0', 1));
    expect([...sums.input('score/a/0').data]).toEqual([1]);
    sums.commit('score', 1, vector('score/a/0', 2));
    expect([...sums.input('score/a/0').data]).toEqual([3]);
  });

  it('refuses a shard whose blocks are not those of the others: the sum would miss data', () => {
    const sums = new JobSums();
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error;
    expect(() => sums.missing('score', 0, ['ggn/0/0'])).toThrow(invalid);
    expect(() => sums.missing('score', 0, ['score/a/0', 'score/a/0'])).toThrow(invalid);
    sums.missing('score', 0, ['score/a/0', 'score/a/1']);
    expect(() => sums.missing('score', 1, ['score/a/0'])).toThrow(invalid);
    expect(sums.missing('score', 1, ['score/a/1', 'score/a/0'])).toHaveLength(2);
  });

  it('refuses what cannot be summed', () => {
    const sums = new JobSums();
    const refused = (code: string) => expect.objectContaining({ code }) as Error;
    sums.missing('accumulate', 0, ['ggn/0/0'], basis);
    sums.commit('accumulate', 0, vector('ggn/0/0', 1, 1));
    expect(() => sums.commit('accumulate', 1, vector('ggn/0/0', 1))).toThrow(refused('SHAPE_MISMATCH'));
    expect(() => sums.commit('accumulate', 2, vector('ggn/0/0', 1, NaN))).toThrow(refused('NUMERICAL_FAILURE'));
    expect(() => sums.commit('accumulate', 3, vector('ggn/0/0', 1, 1e6))).toThrow(refused('SUM_OVERFLOW'));
    expect(() => sums.missing('accumulate', 4, ['ggn/0/0'])).toThrow(refused('INVALID_ARGUMENT'));
    expect(() => sums.missing('accumulate', 4, ['ggn/0/0'], { ...basis, digest: 'of another' })).toThrow(refused('INVALID_ARGUMENT'));
    expect(() => sums.commit('score', 0, { name: 'score/a/0', shape: [1], data: Float64Array.of(1) })).toThrow(refused('INVALID_ARGUMENT'));
  });
});
