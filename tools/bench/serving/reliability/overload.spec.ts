import { describe, expect, it } from 'vitest';
import type { LoadWindow } from '../load/generator.ts';
import { recoverySeconds } from './overload.ts';

/** One request every 10 ms for two seconds; the overload ends at 500 ms. */
function windowOf(latencyAt: (at: number) => number, outcomeAt: (at: number) => number = () => 0): LoadWindow {
  const at = Float64Array.from({ length: 200 }, (_, i) => 10 * i);
  return { at, latency: at.map(latencyAt), outcome: Uint8Array.from(at, outcomeAt), outcomes: ['OK', 'HTTP 503'], seconds: 2, cpu: 0 };
}

describe('recoverySeconds', () => {
  it('is 0 when nothing is slow after the end', () => {
    expect(
      recoverySeconds(
        windowOf((at) => (at < 500 ? 900 : 10)),
        500,
        10,
      ),
    ).toBe(0);
  });

  it('lasts to the end of the last slow tenth of a second', () => {
    expect(
      recoverySeconds(
        windowOf((at) => (at >= 700 && at < 800 ? 100 : 10)),
        500,
        10,
      ),
    ).toBe(0.3);
  });

  it('lasts as long as anything is refused', () => {
    const refusedAt = (at: number): number => (at === 1210 ? 1 : 0);
    expect(
      recoverySeconds(
        windowOf(() => 10, refusedAt),
        500,
        10,
      ),
    ).toBe(0.8);
  });
});
