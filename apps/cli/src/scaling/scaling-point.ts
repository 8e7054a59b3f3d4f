import type { Stage } from '@sublace/simulation';

/**
 * Where a number comes from. It stands beside every number of a report.
 *
 * - `measured`: real processes, each with cores of its own.
 * - `crowded`: real processes with more threads than the machine has cores, so that workers slow each other.
 * - `predicted`: the cost model fitted to measured runs.
 * - `simulated`: the simulator.
 */
export type Source = 'measured' | 'crowded' | 'predicted' | 'simulated';

/** How reports name a source. */
export const SOURCE_NAMES: Readonly<Record<Source, string>> = {
  measured: 'measured',
  crowded: 'measured, cores shared (*)',
  predicted: 'predicted (cost model)',
  simulated: 'simulated',
};

/** One fit on one number of workers. */
export interface ScalingPoint {
  readonly source: Source;
  readonly workerCount: number;
  readonly seconds: number;
  /** Against one worker of the same source; where one was not measured, against the fewest workers times their number. */
  readonly speedUp: number;
  readonly stages: readonly { readonly stage: Stage; readonly seconds: number }[];
}
