import { describe, expect, it } from 'vitest';
import type { PhaseReport } from '@sublace/protocol';
import { crowdingOf, stagesOf, type DigestedRun } from './measure.ts';
import { commonDigest, measuredPoints, summarise } from './summarise.ts';

function phase(name: PhaseReport['phase'], seconds: number, more: Partial<PhaseReport> = {}): PhaseReport {
  const none = { shardCount: 1, bytesPulled: 0, reduceSeconds: 0, computeSeconds: seconds, transferSeconds: 0, publishSeconds: 0 };
  return { phase: name, seconds, ...none, ...more };
}

/** A fit whose accumulate takes so many seconds; everything else 6, of which publishing 0.5. */
function run(workerCount: number, accumulate: number, { repeat = 1, digest = 'ab', crowding = 1 } = {}): DigestedRun {
  const traffic = { shardCount: 4, bytesPulled: 8e6, reduceSeconds: 0.25, transferSeconds: 2 };
  const phases = [
    phase('plan', 1),
    phase('score', 2, { shardCount: 4 }),
    phase('select', 1),
    phase('accumulate', accumulate, traffic),
    phase('finalise', 2, { publishSeconds: 0.5 }),
  ];
  return { workerCount, reducerCount: 0, repeat, digest, crowding, stages: stagesOf(phases) };
}

describe('stagesOf', () => {
  it('takes publishing out of the last phase, so that stages sum to the whole', () => {
    const { stages } = run(1, 10);
    expect(stages.map(({ stage, seconds }) => [stage, seconds])).toEqual([
      ['plan', 1],
      ['score', 2],
      ['select', 1],
      ['accumulate', 10],
      ['finalise', 1.5],
      ['publish', 0.5],
    ]);
    expect(stages[3]).toMatchObject({ shardCount: 4, bytes: 8e6, reduceSeconds: 0.25, computeSeconds: 10, transferSeconds: 2 });
  });

  it('counts every part of a phase that started again', () => {
    const [, score] = stagesOf([phase('plan', 1), phase('score', 3, { shardCount: 4 }), phase('score', 2, { shardCount: 4 })]);
    expect(score).toMatchObject({ seconds: 5, shardCount: 4 });
  });
});

describe('summarise', () => {
  it('gives medians, and speed-up against one worker', () => {
    const rows = summarise([run(1, 10), run(2, 4), run(1, 14), run(2, 3), run(1, 11), run(2, 90)]);
    expect(rows.map(({ workerCount, runCount, seconds, secondsMax }) => [workerCount, runCount, seconds, secondsMax])).toEqual([
      [1, 3, 17, 20],
      [2, 3, 10, 96],
    ]);
    expect(rows[1].speedUp).toBeCloseTo(1.7, 9);
    expect(rows[1].efficiency).toBeCloseTo(0.85, 9);
    const accumulate = rows[1].stages[3];
    expect(accumulate).toMatchObject({ stage: 'accumulate', seconds: 4, speedUp: 11 / 4, bytes: 8e6, bytesPerSecond: 2e6 });
    expect(accumulate.pullBytesPerSecond).toBe(4e6);
    expect(rows[1].stages[0].pullBytesPerSecond).toBeUndefined();
  });

  it('says what is not computing: publishing, and what workers with a shard to be had spend otherwise', () => {
    // Every phase computes all of its seconds, by one worker; finalise's seconds include publishing.
    const [one] = summarise([run(1, 10)]);
    expect(one.stages.map(({ otherSeconds }) => otherSeconds)).toEqual([0, 0, 0, 0, -0.5, 0.5]);
    expect(one.otherShare).toBe(0);
    const [two] = summarise([run(2, 10)]);
    expect(two.otherShare).toBeCloseTo((2 / 2 + 10 / 2) / 16, 9);
  });

  it('takes the fewest workers, times their number, where one was not run', () => {
    expect(summarise([run(2, 10), run(4, 2)]).map(({ speedUp }) => speedUp)).toEqual([2, 4]);
  });

  it('marks runs that shared cores, to the last point of the chart', () => {
    const rows = summarise([run(1, 10), run(4, 5, { crowding: 2 })]);
    expect(measuredPoints(rows).map(({ source }) => source)).toEqual(['measured', 'crowded']);
    expect([crowdingOf(2, 1, 4), crowdingOf(4, 2, 4)]).toEqual([1, 2]);
  });

  it('gives bars that are as long as the whole', () => {
    const [point] = measuredPoints(summarise([run(1, 10), run(1, 30)]));
    expect(point.stages.reduce((sum, { seconds }) => sum + seconds, 0)).toBeCloseTo(point.seconds, 9);
  });
});

describe('commonDigest', () => {
  it('is the digest of all runs, or an error that names two that differ', () => {
    expect(commonDigest([run(1, 10), run(2, 5)])).toBe('ab');
    expect(() => commonDigest([run(1, 10), run(2, 5), run(2, 5, { repeat: 2, digest: 'cd' })])).toThrow(
      'expected the same posterior from every run, got 2 digests: ab from 1 worker in repeat 1, cd from 2 workers in repeat 2',
    );
  });
});
