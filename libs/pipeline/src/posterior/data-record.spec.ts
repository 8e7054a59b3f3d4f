import { describe, expect, it } from 'vitest';
import { joinData, type DataSetRecord } from './data-record.ts';

const set = (name: string): DataSetRecord => ({ spec: `${name}.csv`, digest: `${name}-digest`, exampleCount: 10 });

describe('joinData', () => {
  it('of one set is that set', () => {
    expect(joinData([set('a')])).toEqual({ ...set('a'), sets: [set('a')] });
  });

  it('of several keeps them in order, with a digest that does not depend on it', () => {
    const [a, b, c] = ['a', 'b', 'c'].map(set);
    const joined = joinData([joinData([a, b]), c]);
    expect(joined).toMatchObject({ spec: 'a.csv + b.csv + c.csv', exampleCount: 30, sets: [a, b, c] });
    expect(joinData([c, joinData([b, a])]).digest).toBe(joined.digest);
    expect(joinData([a, b]).digest).not.toBe(joined.digest);
  });

  it('refuses a set that would count twice, under whatever name', () => {
    const again = { ...set('a'), spec: 'copy.csv' };
    expect(() => joinData([joinData([set('b'), set('a')]), again])).toThrow(
      expect.objectContaining({
        code: 'DATA_INVALID',
        message: "data copy.csv: expected examples that were not fitted yet, got those of 'a.csv' (digest a-digest) again",
      }),
    );
  });
});
