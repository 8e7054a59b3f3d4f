// cspell:words Philox Salmon Moraes Dror Shaw Marsaglia
/** Numbers drawn by place, not in turn: what one worker draws does not depend on how often another one did. */
export interface CounterRandom {
  /** Uniform in [0, 1), 53 bits. */
  uniform: (stream: number, index: number) => number;
  /** Exponential with mean 1. */
  exponential: (stream: number, index: number) => number;
  /** Standard normal. */
  normal: (stream: number, index: number) => number;
}

const MULTIPLIER = 0xd256d193;
const KEY_STEP = 0x9e3779b9;
const ROUNDS = 10;

/**
 * The counter-based generator Philox 2x32-10: a keyed bijection of 64 bits, good enough to pass TestU01's BigCrush.
 *
 * Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011.
 *
 * @param counter  Two 32-bit words.
 * @param key  A 32-bit word.
 * @returns  Two 32-bit words, unsigned.
 */
export function philox(counter: readonly [number, number], key: number): [number, number] {
  let [left, right] = counter;
  for (let round = 0; round < ROUNDS; round++) {
    const high = highProduct(MULTIPLIER, left);
    const low = Math.imul(MULTIPLIER, left) >>> 0;
    left = (high ^ key ^ right) >>> 0;
    right = low;
    key = (key + KEY_STEP) >>> 0;
  }
  return [left, right];
}

/** The upper 32 bits of a 64-bit product; every part stays below 2^53. */
function highProduct(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aLow * bHigh + Math.floor((aLow * bLow) / 65536);
  const upper = aHigh * bLow + (middle % 65536);
  return aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(upper / 65536);
}

/**
 * A generator whose every number is a function of seed, stream and index. Only multiplication, logarithm and square root touch a result, which one
 * version of the JavaScript engine computes alike on every machine.
 *
 * @param seed  Whole number in 0..2^32-1.
 * @returns  The generator; it has no state.
 */
export function createCounterRandom(seed: number): CounterRandom {
  const uniform = (stream: number, index: number): number => {
    const [high, low] = philox([index >>> 0, stream >>> 0], seed);
    return (high * 2 ** 21 + (low >>> 11)) * 2 ** -53;
  };
  return {
    uniform,
    exponential: (stream, index) => -Math.log(1 - uniform(stream, index)),
    normal(stream, index) {
      // Marsaglia's polar method; a pair outside the circle is drawn again under the next key.
      for (let key = seed; ; key = (key + KEY_STEP) >>> 0) {
        const [first, second] = philox([index >>> 0, stream >>> 0], key);
        const [x, y] = [first * 2 ** -31 - 1, second * 2 ** -31 - 1];
        const square = x * x + y * y;
        if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
      }
    },
  };
}
