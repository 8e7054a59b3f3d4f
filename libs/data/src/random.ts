// cspell:words splitmix xoshiro Marsaglia
/** Random numbers that depend on the seed alone, not on the machine. */
export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  uniform: () => number;
  /** Standard normal. */
  normal: () => number;
  /** Uniform whole number in 0..n-1, without bias, for 1 <= n <= 2^32. */
  integer: (n: number) => number;
  /** Shuffles in place (Fisher-Yates) and returns the same array. */
  shuffle: <A extends { length: number; [index: number]: number }>(array: A) => A;
}

const U64 = (1n << 64n) - 1n;

/**
 * The output function of splitmix64 (Steele, Lea and Flood 2014): mixes a 64-bit state into 64 well-distributed bits.
 *
 * @param state  Any whole number; taken modulo 2^64.
 * @returns  In 0..2^64-1.
 */
export function splitmix64(state: bigint): bigint {
  let z = state & U64;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & U64;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & U64;
  return z ^ (z >> 31n);
}

/**
 * xoshiro128** (Blackman and Vigna 2021, arXiv:1805.01407).
 *
 * @param s  Four 32-bit words, not all 0; changed with every draw.
 * @returns  Draws the next 32 bits, as an unsigned number.
 */
export function xoshiro128(s: Uint32Array): () => number {
  return () => {
    const product = Math.imul(s[1], 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  };
}

const GAMMA = 0x9e3779b97f4a7c15n;

/**
 * A generator of xoshiro128**, seeded through splitmix64 as its authors advise.
 *
 * @param seed  Whole number.
 * @param stream  Whole number; different streams of one seed have unrelated sequences. Default 0.
 * @returns  A generator with its own state.
 */
export function createRandom(seed: number, stream = 0): Random {
  const origin = splitmix64(BigInt(seed) + GAMMA) ^ splitmix64(splitmix64(BigInt(stream) + 2n * GAMMA));
  const words = [splitmix64(origin + GAMMA), splitmix64(origin + 2n * GAMMA)];
  const next = xoshiro128(Uint32Array.from(words.flatMap((word) => [Number(word & 0xffffffffn), Number(word >> 32n)])));
  let spare: number | undefined; // the second normal of a pair
  const uniform = (): number => (next() * 2 ** 21 + (next() >>> 11)) * 2 ** -53;

  const integer = (n: number): number => {
    const limit = 2 ** 32 - (2 ** 32 % n); // draws at or above it would favour small numbers
    let draw = next();
    while (draw >= limit) draw = next();
    return draw % n;
  };

  return {
    uniform,
    integer,
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      // Marsaglia's polar method: no sine, so only log and sqrt touch the result.
      let [x, y, square] = [0, 0, 0];
      while (square === 0 || square >= 1) {
        x = 2 * uniform() - 1;
        y = 2 * uniform() - 1;
        square = x * x + y * y;
      }
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      spare = y * factor;
      return x * factor;
    },
    shuffle(array) {
      for (let i = array.length - 1; i > 0; i--) {
        const j = integer(i + 1);
        [array[i], array[j]] = [array[j], array[i]];
      }
      return array;
    },
  };
}
