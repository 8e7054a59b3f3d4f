// cspell:words Doty Humphrey Marsaglia PractRand
/** A stream of random numbers that depends on its seed alone. */
export interface Random {
  /** Uniform in [0, 1). */
  readonly uniform: () => number;
  /** Standard normal. */
  readonly normal: () => number;
}

/**
 * The stream of one example: it depends on the seed and the example's position in the data, so it is the same however the data are cut into
 * batches and shards.
 *
 * The generator is sfc32 (Doty-Humphrey, PractRand): three words of state and a counter.
 *
 * @param seed  Safe integer.
 * @param example  Position of the example in the data.
 * @returns  The stream.
 */
export function exampleRandom(seed: number, example: number): Random {
  let [a, b, c, counter] = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, example >>> 0, 1];
  const next = (): number => {
    const result = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + result) >>> 0;
    return result;
  };
  for (let round = 0; round < 15; round++) next(); // as its author seeds it: neighbouring seeds have nothing in common any more
  const uniform = (): number => (next() * 2 ** 21 + (next() >>> 11)) * 2 ** -53;
  return {
    uniform,
    normal() {
      for (;;) {
        // Marsaglia's polar method.
        const [x, y] = [2 * uniform() - 1, 2 * uniform() - 1];
        const square = x * x + y * y;
        if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
      }
    },
  };
}
