/** A seeded stream of numbers for tests. */
export interface TestRandom {
  /** Uniform in [from, to). */
  uniform(from?: number, to?: number): number;
  /** Standard normal. */
  normal(): number;
  /** Standard normal numbers, scaled. */
  normals(count: number, scale?: number): number[];
  /** Uniform integer in 0..below - 1. */
  integer(below: number): number;
  /** Some of 0..below - 1, each once, ascending. */
  subset(count: number, below: number): Int32Array;
}

/**
 * A seeded stream: a 32-bit shift register, whitened by a multiplication; normal numbers by Box and Muller.
 *
 * @param seed  Any integer.
 * @returns  The stream.
 */
export function testRandom(seed: number): TestRandom {
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x6a09e667) >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (Math.imul(state, 0x2545f491) >>> 0) / 2 ** 32;
  };
  const random: TestRandom = {
    uniform: (from = 0, to = 1) => from + (to - from) * next(),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    normals: (count, scale = 1) => Array.from({ length: count }, () => scale * random.normal()),
    integer: (below) => Math.floor(next() * below),
    subset: (count, below) => {
      const left = Array.from({ length: below }, (_, i) => i);
      return Int32Array.from({ length: count }, () => left.splice(random.integer(left.length), 1)[0]).sort();
    },
  };
  return random;
}
