/** One point of a search over the prior precision. */
export interface PriorPoint {
  readonly priorPrecision: number;
  /** What is minimised: mean validation NLL, or minus the log evidence, in nats. */
  readonly loss: number;
}

/** Outcome of a search: the best point and the whole curve, in ascending order of the prior precision. */
export interface PriorSearch {
  readonly best: PriorPoint;
  readonly curve: readonly PriorPoint[];
  /** Whether the best point lies at an end of the grid, so that a wider one may be better. */
  readonly isAtBound: boolean;
}

/**
 * Prior precisions evenly spaced in the logarithm.
 *
 * @param from  Smallest.
 * @param to  Largest.
 * @param count  Number of points, at least 2.
 * @returns  Ascending.
 */
export function logarithmicGrid(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from * (to / from) ** (i / (count - 1)));
}

/**
 * Minimises a loss over the prior precision: a grid over many decades, then a finer one between the best point's neighbours.
 *
 * @param losses  The loss at each of several prior precisions; asked for all points of a grid at once. Points that are not finite are skipped.
 * @param bounds  Smallest and largest prior precision.
 * @returns  Best point and curve.
 */
export function searchPriorPrecision(losses: (grid: readonly number[]) => readonly number[], bounds: readonly [number, number] = [1e-4, 1e6]): PriorSearch {
  const evaluate = (grid: readonly number[]): PriorPoint[] => losses(grid).map((loss, i) => ({ priorPrecision: grid[i], loss }));
  const coarse = evaluate(logarithmicGrid(bounds[0], bounds[1], 21));
  const coarseBest = indexOfSmallest(coarse);
  const neighbours = [coarse[Math.max(coarseBest - 1, 0)], coarse[Math.min(coarseBest + 1, coarse.length - 1)]];
  const fine = evaluate(logarithmicGrid(neighbours[0].priorPrecision, neighbours[1].priorPrecision, 13).slice(1, -1));
  const curve = [...coarse, ...fine].sort((a, b) => a.priorPrecision - b.priorPrecision);
  const best = curve[indexOfSmallest(curve)];
  return { best, curve, isAtBound: best.priorPrecision === bounds[0] || best.priorPrecision === bounds[1] };
}

function indexOfSmallest(points: readonly PriorPoint[]): number {
  let smallest = 0;
  for (const [i, point] of points.entries()) if (point.loss < points[smallest].loss || Number.isNaN(points[smallest].loss)) smallest = i;
  return smallest;
}
