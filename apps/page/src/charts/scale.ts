/** From values to places: `place(low)` is `from`, `place(high)` is `to`. */
export interface LinearScale {
  readonly low: number;
  readonly high: number;
  place(value: number): number;
  /** The value at a place. */
  value(place: number): number;
}

/**
 * A linear scale.
 *
 * @param low  Smallest value shown.
 * @param high  Largest; equal values are moved apart.
 * @param from  Place of `low`.
 * @param to  Place of `high`.
 * @returns  The scale.
 */
export function linearScale(low: number, high: number, from: number, to: number): LinearScale {
  const end = high > low ? high : low + 1;
  return {
    low,
    high: end,
    place: (value) => from + ((value - low) / (end - low)) * (to - from),
    value: (place) => low + ((place - from) / (to - from)) * (end - low),
  };
}

/**
 * Round numbers that divide a range: steps of 1, 2 or 5 times a power of ten.
 *
 * @param low  Start of the range.
 * @param high  Its end.
 * @param count  About how many.
 * @returns  Ascending, all within the range.
 */
export function ticks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999)!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/**
 * The end of an axis from 0 that holds all values and ends on a round number.
 *
 * @param values  NaN is ignored.
 * @param least  Smallest end.
 * @returns  The end, more than 0.
 */
export function niceEnd(values: readonly number[], least = 0): number {
  const largest = values.reduce((max, value) => (value > max ? value : max), least);
  if (largest <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(largest));
  return Number(([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((factor) => factor * power >= largest * 0.999)! * power).toPrecision(12));
}
