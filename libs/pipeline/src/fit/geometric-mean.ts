/**
 * The geometric mean of positive numbers; equal numbers come out as they are, without rounding.
 *
 * @param values  At least one.
 * @returns  exp(mean of logarithms).
 */
export function geometricMean(values: Float64Array): number {
  if (values.every((value) => value === values[0])) return values[0];
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
