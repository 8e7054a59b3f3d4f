import type { SimulationInput } from './options.ts';
import type { SimulationReport } from './report.ts';
import { simulate } from './simulate.ts';

/** One cluster size beside one undisturbed worker. */
export interface ScalingRow {
  readonly report: SimulationReport;
  /** Makespan of one worker divided by this one's; absent when the fit did not succeed. */
  readonly speedUp?: number;
  /** Speed-up divided by the number of workers. */
  readonly efficiency?: number;
}

/**
 * Simulates the same fit on clusters of several sizes. The yardstick is one worker of the same kind to which nothing happens: no straggler, no
 * loss, no pause; with noise.
 *
 * @param input  Cluster and fit; its number of workers does not matter.
 * @param workerCounts  Numbers of workers.
 * @returns  The yardstick, and a row per number, in their order.
 * @throws SublaceError as {@link simulate} does.
 */
export function simulateScaling(
  input: Omit<SimulationInput, 'workerCount'>,
  workerCounts: readonly number[],
): { one: SimulationReport; rows: ScalingRow[] } {
  const { stragglers: _stragglers, losses: _losses, pauses: _pauses, ...undisturbed } = input;
  const one = simulate({ ...undisturbed, workerCount: 1 });
  const rows = workerCounts.map((workerCount): ScalingRow => {
    const report = simulate({ ...input, workerCount });
    if (report.outcome !== 'succeeded') return { report };
    const speedUp = one.makespanSeconds / report.makespanSeconds;
    return { report, speedUp, efficiency: speedUp / workerCount };
  });
  return { one, rows };
}
