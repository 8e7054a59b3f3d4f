/**
 * A number for people: whole numbers in full, others to so many significant digits; an exponent only for the very large and the very small.
 *
 * @param value  Any; null and NaN give a dash.
 * @param digits  Significant digits. Default 3.
 * @returns  For example `0.0452`, `61,706`, `1.2e-7`.
 */
export function formatNumber(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e9 || size < 1e-4) return minus(value.toExponential(digits - 1).replace('e+', 'e'));
  if (Number.isInteger(value)) return minus(value.toLocaleString('en'));
  // Digits before the point are never rounded away.
  const before = Math.max(0, Math.floor(Math.log10(size)) + 1);
  return minus(value.toLocaleString('en', { maximumSignificantDigits: Math.max(digits, before) }));
}

/** A minus sign as long as a plus sign, and read as one by screen readers; that of an exponent stays as it is. */
function minus(text: string): string {
  return text.replace(/^-/, '−');
}

/**
 * A share as a percentage.
 *
 * @param share  0..1.
 * @returns  For example `98.4 %`, `< 0.1 %`.
 */
export function formatPercent(share: number | null | undefined): string {
  if (share === null || share === undefined || Number.isNaN(share)) return '–';
  if (share === 0 || share === 1) return `${100 * share} %`;
  if (share > 0 && share < 0.0005) return '< 0.1 %';
  if (share < 1 && share >= 0.9995) return '> 99.9 %';
  return `${(100 * share).toFixed(1)} %`;
}

const byteUnits = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/**
 * A size in memory.
 *
 * @param bytes  0 or more.
 * @returns  For example `15.4 MiB`.
 */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(byteUnits.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${formatNumber(bytes / 1024 ** power)} ${byteUnits[power]}`;
}

/**
 * A duration.
 *
 * @param seconds  0 or more; null gives a dash.
 * @returns  For example `840 µs`, `3.2 ms`, `1.5 s`.
 */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return '–';
  if (seconds === 0) return '0 ms';
  if (seconds < 1e-3) return `${formatNumber(seconds * 1e6)} µs`;
  return seconds < 1 ? `${formatNumber(seconds * 1e3)} ms` : `${formatNumber(seconds)} s`;
}

/**
 * The first characters of a digest: enough to tell versions apart.
 *
 * @param digest  Hexadecimal.
 * @returns  Twelve characters.
 */
export function shortDigest(digest: string): string {
  return digest.slice(0, 12);
}
