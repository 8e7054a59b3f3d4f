/**
 * A uniform score for every position, so that the S largest are a random subset without repetition: a hash of seed and position (the finaliser
 * of splitmix64, 53 of its bits), which does not depend on the order of evaluation.
 *
 * @param count  n.
 * @param seed  A safe integer.
 * @returns  [n], in [0, 1).
 */
export function randomScores(count: number, seed: number): Float64Array {
  const scores = new Float64Array(count);
  const offset = BigInt(seed);
  for (let i = 0; i < count; i++) {
    let z = BigInt.asUintN(64, (BigInt.asUintN(64, offset * 0xd1342543de82ef95n) + BigInt(i) + 1n) * 0x9e3779b97f4a7c15n);
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    scores[i] = Number((z ^ (z >> 31n)) >> 11n) / 2 ** 53;
  }
  return scores;
}
