/** Seeded random numbers: the same seed, the same fuzzed requests on every machine (mulberry32). */
export class Random {
  #state: number;

  /**
   * @param seed  Any integer.
   */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** The next number, from 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /**
   * An integer.
   *
   * @param count  Of different values.
   * @returns  From 0 to below that.
   */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  /**
   * One of some values.
   *
   * @param values  One or more.
   * @returns  It.
   */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }

  /**
   * Whether something happens.
   *
   * @param probability  Of it.
   * @returns  True as often.
   */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /**
   * Random bytes.
   *
   * @param length  Their number.
   * @returns  A new buffer.
   */
  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

/**
 * A copy of bytes with one or a few of them changed, taken out, or put in.
 *
 * @param random  Numbers.
 * @param bytes  Any.
 * @returns  Another buffer.
 */
export function mutateBytes(random: Random, bytes: Buffer): Buffer {
  let mutated = Buffer.from(bytes);
  for (let i = random.below(3); i >= 0; i -= 1) {
    const at = random.below(mutated.length + 1);
    const kind = random.below(4);
    if (kind === 0 && mutated.length > 0) mutated[Math.min(at, mutated.length - 1)] ^= 1 << random.below(8);
    else if (kind === 1) mutated = Buffer.concat([mutated.subarray(0, at), random.bytes(1 + random.below(8)), mutated.subarray(at)]);
    else if (kind === 2) mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(at + 1 + random.below(8))]);
    else mutated = mutated.subarray(0, at);
  }
  return mutated;
}
