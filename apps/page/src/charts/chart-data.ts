/** A curve over the x values of its chart. */
export interface Series {
  readonly name: string;
  /** NaN is a gap. */
  readonly values: readonly number[];
  /** Colour and dashes, by the style sheet: `sublace`, `map`, `entropy`, `p50`, ... */
  readonly style: string;
}

/** An area between two curves. */
export interface Band {
  readonly name: string;
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  readonly style: string;
}

/** Rows of a chart as a table: for those who cannot see it, or want the numbers. */
export interface ChartTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const rowsMax = 60;

/**
 * The numbers of a chart as a table, thinned to what somebody may read.
 *
 * @param chart  What is drawn.
 * @param chart.xLabel  Heading of the first column.
 * @param chart.x  Values along the axis.
 * @param chart.series  Curves.
 * @param chart.bands  Areas.
 * @param formatX  How x is written.
 * @param formatY  How values are written.
 * @returns  At most 60 rows, evenly spaced, the first and the last among them.
 */
export function chartTable(
  { xLabel, x, series, bands = [] }: { xLabel: string; x: readonly number[]; series: readonly Series[]; bands?: readonly Band[] },
  formatX: (value: number) => string,
  formatY: (value: number) => string,
): ChartTable {
  const step = Math.max(1, Math.ceil((x.length - 1) / (rowsMax - 1)));
  const indices = x.flatMap((_, i) => (i % step === 0 || i === x.length - 1 ? [i] : [])).slice(0, rowsMax);
  return {
    header: [xLabel, ...series.map(({ name }) => name), ...bands.map(({ name }) => name)],
    rows: indices.map((i) => [
      formatX(x[i]),
      ...series.map(({ values }) => formatY(values[i])),
      ...bands.map(({ lower, upper }) => `${formatY(lower[i])} to ${formatY(upper[i])}`),
    ]),
  };
}

/**
 * Which of ascending values is nearest.
 *
 * @param x  Ascending, at least one.
 * @param value  What is looked for.
 * @returns  Its index.
 */
export function nearestIndex(x: readonly number[], value: number): number {
  let [low, high] = [0, x.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle] <= value) low = middle;
    else high = middle;
  }
  return Math.abs(x[high] - value) < Math.abs(x[low] - value) ? high : low;
}

/**
 * Smallest and largest of the numbers.
 *
 * @param lists  Any; what is not finite is ignored.
 * @returns  [0, 1] when there is none.
 */
export function extent(...lists: readonly (readonly number[])[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists) {
    for (const value of list) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return low <= high ? [low, high] : [0, 1];
}
