import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TrafficShare } from './traffic-share.ts';

it('takes its share of any requests in a row, up to one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1000 }), fc.nat(300), fc.nat(300), (part, before, length) => {
      const share = new TrafficShare();
      share.set(part / 1000);
      for (let i = 0; i < before; i++) share.take();
      const taken = Array.from({ length }, () => share.take()).filter(Boolean).length;
      expect(Math.abs(taken - (length * part) / 1000)).toBeLessThan(1);
    }),
  );
});

it('takes all of 1, none of 0, and goes on with what is owed when it changes', () => {
  const share = new TrafficShare();
  const takes = (count: number): boolean[] => Array.from({ length: count }, () => share.take());
  share.set(1);
  expect(takes(3)).toEqual([true, true, true]);
  share.set(0);
  expect(takes(3)).toEqual([false, false, false]);
  share.set(0.5);
  expect(takes(3)).toEqual([false, true, false]);
  share.set(0.5);
  expect(takes(1)).toEqual([true]);
  expect(share.value).toBe(0.5);
});
