/** One point of a search over the prior precision. */
export interface PriorPoint {
  readonly priorPrecision: number;
  /** What is minimised: mean validation NLL, or minus the log evidence, in nats. */
  readonly loss: number;
}

/**
 * Which point is chosen: the one with the smallest loss, or the widest posterior (the smallest prior precision) whose loss is no larger than the
 * MAP's (that at the largest prior precision) or at most a tolerance above the smallest.
 */
export type ChoiceRule = { readonly kind: 'smallest-loss' } | { readonly kind: 'widest'; readonly tolerance: number };

/** Outcome of a search: the chosen point and the whole curve, in ascending order of the prior precision. */
export interface PriorSearch {
  readonly best: PriorPoint;
  readonly curve: readonly PriorPoint[];
  /** Whether the chosen point lies at an end of the grid, so that a wider one may be better. */
  readonly isAtBound: boolean;
}

/** Points of the first grid, half a decade apart at the default bounds, and of the second within one interval or two of the first. */
const COARSE_COUNT = 21;
const FINE_COUNT = 13;

/**
 * Prior precisions evenly spaced in the logarithm.
 *
 * @param from  Smallest.
 * @param to  Largest.
 * @param count  Number of points, at least 2.
 * @returns  Ascending.
 */
export function logarithmicGrid(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? to : from * (to / from) ** (i / (count - 1))));
}

/**
 * Searches the prior precision: a grid over many decades, then a finer one around the point that the rule chooses.
 *
 * @param losses  The loss at each of several prior precisions, all of a grid at once. Points that are not finite are never chosen.
 * @param rule  Which point to choose.
 * @param bounds  Smallest and largest prior precision.
 * @returns  Chosen point and curve.
 */
export function searchPriorPrecision(
  losses: (grid: readonly number[]) => readonly number[],
  rule: ChoiceRule = { kind: 'smallest-loss' },
  bounds: readonly [number, number] = [1e-4, 1e6],
): PriorSearch {
  const evaluate = (from: number, to: number, count: number): PriorPoint[] => {
    const grid = logarithmicGrid(from, to, count);
    return losses(grid).map((loss, i) => ({ priorPrecision: grid[i], loss }));
  };
  const coarse = evaluate(bounds[0], bounds[1], COARSE_COUNT);
  const chosen = choose(coarse, rule);
  const [before, after] = [coarse[Math.max(chosen - 1, 0)], coarse[Math.min(chosen + 1, coarse.length - 1)]];
  const fine = evaluate(before.priorPrecision, after.priorPrecision, FINE_COUNT).slice(1, -1);
  const curve = [...coarse, ...fine]
    .sort((a, b) => a.priorPrecision - b.priorPrecision)
    .filter((point, i, points) => i === 0 || point.priorPrecision > points[i - 1].priorPrecision);
  const best = curve[choose(curve, rule)];
  return { best, curve, isAtBound: best.priorPrecision === bounds[0] || best.priorPrecision === bounds[1] };
}

/** Position of the chosen point among ascending ones. */
function choose(points: readonly PriorPoint[], rule: ChoiceRule): number {
  let smallest = 0;
  for (const [i, { loss }] of points.entries()) if (loss < points[smallest].loss || Number.isNaN(points[smallest].loss)) smallest = i;
  if (rule.kind === 'smallest-loss') return smallest;
  const map = points[points.length - 1].loss;
  const limit = Math.max(Number.isNaN(map) ? -Infinity : map, points[smallest].loss + rule.tolerance);
  let chosen = smallest;
  while (chosen > 0 && points[chosen - 1].loss <= limit) chosen--;
  return chosen;
}
