import type { Band, Series } from '../charts/chart-data.ts';
import { extent } from '../charts/chart-data.ts';
import type { FloatTensor } from '../server/server-api.ts';

/** The outputs that are asked for, where a model has them. */
export const curveOutputs = ['mean', 'variance', 'noise_variance'];

/** Standard deviations on either side of the mean: about 95 % of a Gaussian. */
export const bandWidth = 2;

/** A regression over a range of its one input. */
export interface CurveAnswer {
  readonly mean: readonly number[];
  /** Standard deviation of the function: what the weights leave open. */
  readonly epistemic: readonly number[];
  /** Standard deviation of an observation: the function's and the noise's. */
  readonly total: readonly number[];
}

/**
 * The answers along the axis.
 *
 * @param outputs  Output tensors by name; one without noise counts as free of it.
 * @returns  Standard deviations instead of variances.
 */
export function curveAnswer(outputs: ReadonlyMap<string, FloatTensor>): CurveAnswer {
  const values = (name: string): readonly number[] => Array.from(outputs.get(name)?.data ?? []);
  const [mean, variance, noise] = [values('mean'), values('variance'), values('noise_variance')];
  return {
    mean,
    epistemic: mean.map((_, i) => Math.sqrt(variance[i] ?? 0)),
    total: mean.map((_, i) => Math.sqrt((variance[i] ?? 0) + (noise[i] ?? 0))),
  };
}

/** What the vertical axis must hold. */
export type VerticalFit = 'band' | 'mean';

/** A band this many times as high as the mean's own range leaves nothing to see of the mean. */
const overwhelming = 6;

/**
 * What the axis should hold at first: all of the band, unless the mean would then be a flat line.
 *
 * @param answer  Along the axis.
 * @returns  The choice.
 */
export function verticalFit({ mean, total }: CurveAnswer): VerticalFit {
  const [low, high] = extent(mean);
  return 2 * bandWidth * Math.max(...total) > overwhelming * (high - low) ? 'mean' : 'band';
}

/**
 * What a chart draws of it.
 *
 * @param answer  Along the axis.
 * @param fit  What the vertical axis must hold; more of the mean's surroundings than of the mean, where it is that.
 * @returns  The mean, the two bands, and the vertical range.
 */
export function curveChart(
  { mean, epistemic, total }: CurveAnswer,
  fit: VerticalFit,
): { series: Series[]; bands: Band[]; yRange: [number, number] } {
  const band = (name: string, style: string, deviation: readonly number[]): Band => ({
    name,
    style,
    lower: mean.map((value, i) => value - bandWidth * deviation[i]),
    upper: mean.map((value, i) => value + bandWidth * deviation[i]),
  });
  const bands = [band(`± ${bandWidth} σ with noise`, 'total', total), band(`± ${bandWidth} σ of the function`, 'epistemic', epistemic)];
  const [low, high] = fit === 'mean' ? extent(mean) : extent(bands[0].lower, bands[0].upper);
  const padding = (fit === 'mean' ? 0.5 : 0.05) * (high - low || 1);
  return { series: [{ name: 'Mean, and MAP', values: mean, style: 'sublace' }], bands, yRange: [low - padding, high + padding] };
}

/**
 * Evenly spaced numbers.
 *
 * @param from  The first.
 * @param to  The last.
 * @param count  How many, two or more.
 * @returns  Ascending.
 */
export function spread(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
}
