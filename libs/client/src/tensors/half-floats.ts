/**
 * The 16-bit floating point types, to and from float32.
 *
 *   FP16   1 sign, 5 exponent and 10 fraction bits (IEEE 754 binary16)
 *   BF16   the upper half of a float32
 */

const float32 = new Float32Array(1);
const bits32 = new Uint32Array(float32.buffer);

/**
 * The value of a binary16.
 *
 * @param half  Its 16 bits.
 * @returns  The same value, exactly.
 */
export function float32OfHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24; // zero and the subnormals
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/**
 * The binary16 nearest to a number, ties to even; what is too large becomes infinite.
 *
 * @param value  Any number.
 * @returns  Its 16 bits.
 */
export function halfOf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65_520) return sign | 0x7c00; // halfway to what the next exponent would hold
  if (magnitude < 2 ** -24 / 2) return sign;
  // One unit in the last place of the result; below 2^-14 the grid stays as it is.
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  const steps = roundTiesToEven(magnitude / 2 ** (exponent - 10));
  // A carry out of the fraction is a carry into the exponent, as the bits lie.
  return sign | (steps < 1024 ? steps : ((exponent + 14) << 10) + steps);
}

/**
 * The value of a bfloat16.
 *
 * @param half  Its 16 bits.
 * @returns  The same value, exactly.
 */
export function float32OfBfloat16(half: number): number {
  bits32[0] = half << 16;
  return float32[0];
}

/**
 * The bfloat16 nearest to a number, ties to even.
 *
 * @param value  Any number; rounded to float32 first.
 * @returns  Its 16 bits.
 */
export function bfloat16Of(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  float32[0] = value;
  const bits = bits32[0];
  const roundUp = 0x7fff + ((bits >>> 16) & 1);
  return ((bits + roundUp) / 0x1_0000) & 0xffff;
}

function roundTiesToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
