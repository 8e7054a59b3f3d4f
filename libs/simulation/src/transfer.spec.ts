import { describe, expect, it } from 'vitest';
import { FairLink } from './fair-link.ts';
import { Timeline } from './timeline.ts';
import { Transfer } from './transfer.ts';

function setUp(): { timeline: Timeline; fast: FairLink; slow: FairLink; run: () => void } {
  const timeline = new Timeline();
  const run = (): void => {
    while (timeline.next());
  };
  return { timeline, fast: new FairLink(timeline, 10), slow: new FairLink(timeline, 5), run };
}

describe('a transfer', () => {
  it('ends with its slowest part, and at once when there is nothing to carry', () => {
    const { timeline, fast, slow, run } = setUp();
    const ends: number[] = [];
    new Transfer([fast, slow].map((link) => ({ link, bytes: 100 }))).start(() => ends.push(timeline.now));
    new Transfer([{ link: fast, bytes: 0 }]).start(() => ends.push(timeline.now));
    expect(ends).toEqual([0]);
    run();
    expect(ends).toEqual([0, 20]);
  });

  it('stands still while it is suspended, also when that was before its start, and leaves the link to others', () => {
    const { timeline, fast, run } = setUp();
    const ends: Record<string, number> = {};
    const [first, second] = [1, 2].map(() => new Transfer([{ link: fast, bytes: 100 }]));
    first.start(() => (ends['first'] = timeline.now));
    second.suspend();
    second.start(() => (ends['second'] = timeline.now));
    timeline.at(4, () => first.suspend());
    timeline.at(30, () => first.resume());
    timeline.at(50, () => second.resume());
    run();
    expect(ends).toEqual({ first: 36, second: 60 });
  });
});
