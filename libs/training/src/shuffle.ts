/**
 * A pseudo-random generator of 32 bits of state, for shuffling.
 *
 * @param seed  Any integer.
 * @returns  A function that returns the next number, uniform in [0, 1).
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    // A Weyl sequence through the finaliser of MurmurHash3: every state is visited once, neighbouring seeds share nothing.
    state = (state + 0x9e3779b9) >>> 0;
    let bits = state;
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32;
  };
}

/**
 * Reorders an array in place, every order equally likely (Fisher and Yates; Durstenfeld 1964, CACM 7, 420).
 *
 * @param indices  Array to reorder, any length.
 * @param random  Source of uniform numbers in [0, 1).
 */
export function shuffle(indices: Uint32Array, random: () => number): void {
  for (let last = indices.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [indices[last], indices[other]] = [indices[other], indices[last]];
  }
}
