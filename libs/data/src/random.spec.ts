// cspell:words splitmix xoshiro
import { describe, expect, it } from 'vitest';
import { createRandom } from './index.ts';
import { splitmix64, xoshiro128 } from './random.ts';

describe('the published algorithms', () => {
  it('splitmix64: first outputs from seed 1234567', () => {
    const outputs = [1n, 2n, 3n].map((step) => splitmix64(1234567n + step * 0x9e3779b97f4a7c15n));
    expect(outputs).toEqual([6457827717110365317n, 3203168211198807973n, 9817491932198370423n]);
  });

  it('xoshiro128**: agrees with its definition in exact arithmetic, and by hand from state 1 2 3 4', () => {
    const next = xoshiro128(Uint32Array.of(1, 2, 3, 4));
    const s = [1n, 2n, 3n, 4n];
    const mask = 0xffffffffn;
    const rotate = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) & mask;
    const outputs = Array.from({ length: 200 }, () => {
      const result = (rotate((s[1] * 5n) & mask, 7n) * 9n) & mask;
      const t = (s[1] << 9n) & mask;
      s[2] ^= s[0];
      s[3] ^= s[1];
      s[1] ^= s[2];
      s[0] ^= s[3];
      s[2] ^= t;
      s[3] = rotate(s[3], 11n);
      return Number(result);
    });
    expect(Array.from({ length: 200 }, next)).toEqual(outputs);
    expect(outputs.slice(0, 3)).toEqual([11520, 0, 5927040]);
  });
});

describe('createRandom', () => {
  it('repeats itself for a seed and stream, and not for another', () => {
    const draw = (seed: number, stream?: number) => {
      const random = createRandom(seed, stream);
      return [random.uniform(), random.normal(), random.normal(), random.integer(1000)];
    };
    expect(draw(3)).toEqual(draw(3, 0));
    const distinct = [draw(3), draw(4), draw(3, 1), draw(1, 3), draw(0), draw(-1), draw(0, 1), draw(1, 0)].map(String);
    expect(new Set(distinct).size).toBe(distinct.length);
  });

  it('uniform and normal have their moments, within five standard errors', () => {
    const random = createRandom(1);
    const count = 100_000;
    const moment = (draws: number[], k: number) => draws.reduce((sum, x) => sum + x ** k, 0) / count;
    const uniforms = Array.from({ length: count }, random.uniform);
    expect(Math.min(...uniforms.slice(0, 1000))).toBeGreaterThanOrEqual(0);
    expect(Math.abs(moment(uniforms, 1) - 1 / 2)).toBeLessThan(5 * Math.sqrt(1 / 12 / count));
    expect(Math.abs(moment(uniforms, 2) - 1 / 3)).toBeLessThan(5 * Math.sqrt(4 / 45 / count));
    const normals = Array.from({ length: count }, random.normal);
    expect(Math.abs(moment(normals, 1))).toBeLessThan(5 * Math.sqrt(1 / count));
    expect(Math.abs(moment(normals, 2) - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    expect(Math.abs(moment(normals, 3))).toBeLessThan(5 * Math.sqrt(15 / count));
    expect(Math.abs(moment(normals, 4) - 3)).toBeLessThan(5 * Math.sqrt(96 / count));
  });

  it('integer fills its range evenly (chi-squared with 6 degrees of freedom, 1 in 10^6)', () => {
    const random = createRandom(2);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[random.integer(7)]++;
    expect(counts.reduce((sum, n) => sum + (n - 10_000) ** 2 / 10_000, 0)).toBeLessThan(38.3);
    expect(random.integer(1)).toBe(0);
    expect(random.integer(2 ** 32)).toBeLessThan(2 ** 32);
  });

  it('shuffle gives each of the 6 orders of 3 items equally often', () => {
    const random = createRandom(3);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = random.shuffle([1, 2, 3]).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const n of counts.values()) expect(Math.abs(n - 1000)).toBeLessThan(5 * Math.sqrt(1000));
  });
});
