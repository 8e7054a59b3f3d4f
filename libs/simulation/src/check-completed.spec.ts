import { describe, expect, it } from 'vitest';
import { checkCompleted } from './check-completed.ts';

const complete = (): Map<string, number> =>
  new Map(['plan/0', 'score/0', 'score/1', 'select/0', 'accumulate/0', 'accumulate/1', 'finalise/0'].map((key) => [key, 1]));
const check = (commits: Map<string, number>, leaseCount = 0, jobState: 'succeeded' | 'failed' = 'succeeded'): void =>
  checkCompleted({ shardCount: 2 }, { commits, leaseCount, jobState });

describe('checkCompleted', () => {
  it('is silent when every shard counts once', () => {
    check(complete());
    check(new Map([['plan/0', 1]]), 3, 'failed');
  });

  it('finds a shard that is missing, one that counts twice, one that is unknown, and a lease that is left', () => {
    const missing = complete();
    missing.delete('score/1');
    expect(() => check(missing)).toThrow('score/1: expected it to count exactly once, got 0 times');
    expect(() => check(complete().set('accumulate/0', 2))).toThrow('accumulate/0: expected it to count exactly once, got 2 times');
    expect(() => check(new Map([['plan/0', 2]]), 0, 'failed')).toThrow('plan/0');
    expect(() => check(complete().set('score/2', 1))).toThrow('expected no shard score/2');
    expect(() => check(complete(), 1)).toThrow('expected no lease at the end, got 1');
  });
});
