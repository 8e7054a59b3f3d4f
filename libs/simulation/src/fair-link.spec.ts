import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairLink, type Flow } from './fair-link.ts';
import { Timeline } from './timeline.ts';

/** A flow as a test plans it: when it starts, how much it has, and after which time it is stopped, if it still runs. */
interface Planned {
  at: number;
  bytes: number;
  stopAfter: number | undefined;
}

/** The same link, written as naively as it can be: every flow has its own remainder, and every change of the set updates all of them. */
function naiveEnds(planned: Planned[], bandwidth: number): (number | undefined)[] {
  const ends: (number | undefined)[] = planned.map(() => undefined);
  const left = planned.map(({ bytes }) => bytes);
  const isOver = planned.map(() => false);
  let now = 0;
  for (;;) {
    const running = planned.flatMap(({ at }, i) => (at <= now && !isOver[i] ? [i] : []));
    const moments = [
      ...planned.flatMap(({ at, stopAfter }) => [at, at + (stopAfter ?? Infinity)]).filter((moment) => moment > now),
      ...running.map((i) => now + (left[i] * running.length) / bandwidth),
    ];
    const next = Math.min(...moments);
    if (next === Infinity) return ends;
    for (const i of running) {
      left[i] -= ((next - now) * bandwidth) / running.length;
      if (left[i] <= 1e-9 * planned[i].bytes) {
        isOver[i] = true;
        ends[i] = next;
      } else if (planned[i].at + (planned[i].stopAfter ?? Infinity) <= next) isOver[i] = true;
    }
    now = next;
  }
}

function ends(planned: Planned[], bandwidth: number): { ends: (number | undefined)[]; link: FairLink; left: number } {
  const timeline = new Timeline();
  const link = new FairLink(timeline, bandwidth);
  const result: (number | undefined)[] = planned.map(() => undefined);
  let left = 0;
  for (const [i, { at, bytes, stopAfter }] of planned.entries()) {
    let flow: Flow;
    timeline.at(at, () => (flow = link.start(bytes, () => (result[i] = timeline.now))));
    if (stopAfter !== undefined) timeline.at(at + stopAfter, () => (left += link.stop(flow)));
  }
  while (timeline.next());
  return { ends: result, link, left };
}

describe('a fair link', () => {
  it('gives two flows half each, and one that is alone everything', () => {
    const planned = [
      { at: 0, bytes: 100, stopAfter: undefined },
      { at: 5, bytes: 100, stopAfter: undefined },
    ];
    // 50 bytes alone until 5; then 5 each per second: the first is whole at 15, the second has 50 left and is alone.
    expect(ends(planned, 10).ends).toEqual([15, 20]);
  });

  it('agrees with the naive twin', () => {
    const flow = fc.record({
      at: fc.integer({ min: 0, max: 40 }).map((n) => n / 4),
      bytes: fc.integer({ min: 1, max: 1000 }),
      stopAfter: fc.option(
        fc.integer({ min: 1, max: 60 }).map((n) => n / 4 + 0.1),
        { nil: undefined, freq: 4 },
      ),
    });
    fc.assert(
      fc.property(fc.array(flow, { minLength: 1, maxLength: 25 }), fc.integer({ min: 10, max: 2000 }), (planned, bandwidth) => {
        const { ends: got, link, left } = ends(planned, bandwidth);
        const expected = naiveEnds(planned, bandwidth);
        for (const [i, end] of expected.entries()) {
          if (end === undefined) expect(got[i]).toBeUndefined();
          else expect(Math.abs(got[i]! - end)).toBeLessThan(1e-6 * Math.max(1, end));
        }
        const total = planned.reduce((sum, { bytes }) => sum + bytes, 0);
        expect(Math.abs(link.bytes - (total - left)), 'bytes carried').toBeLessThan(1e-6 * total);
        expect(Math.abs(link.busySeconds * bandwidth - link.bytes), 'never idle with work').toBeLessThan(1e-6 * total);
      }),
      { numRuns: 500, seed: 11 },
    );
  });

  it('holds nothing up when its bandwidth is infinite', () => {
    const planned = [0, 0, 3].map((at) => ({ at, bytes: 10, stopAfter: undefined }));
    expect(ends(planned, Infinity).ends).toEqual([0, 0, 3]);
  });
});
