/** Units of bytes, by thousands. */
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/**
 * Bytes for readers.
 *
 * @param value  Number of bytes.
 * @returns  Such as `32.0 MB`.
 */
export function bytes(value: number): string {
  const power = value < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(value) / 3 + 1e-9));
  return `${power === 0 ? Math.round(value) : (value / 1000 ** power).toPrecision(3)} ${UNITS[power]}`;
}

/**
 * A bandwidth for readers.
 *
 * @param value  Bytes per second.
 * @returns  Such as `1.2 GB/s`, or `no limit`.
 */
export function rate(value: number): string {
  return value === Infinity ? 'no limit' : `${bytes(value)}/s`;
}

/**
 * A duration for readers.
 *
 * @param value  Seconds.
 * @returns  Such as `3.25 s` or `0.50 ms`.
 */
export function seconds(value: number): string {
  if (value === 0) return '0 s';
  if (value < 0.01) return `${(value * 1000).toFixed(2)} ms`;
  return value < 1000 ? `${value.toFixed(2)} s` : `${Math.round(value)} s`;
}

/**
 * A share for readers.
 *
 * @param value  0 to 1.
 * @returns  Such as `97.1 %`.
 */
export function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
