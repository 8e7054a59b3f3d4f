import { SublaceError } from '@sublace/errors';
import { PHASES } from '@sublace/scheduling';
import type { CoordinatorModel } from './coordinator-model.ts';
import type { SimulationOptions } from './options.ts';

/**
 * Checks that a fit that succeeded counted every shard of every phase exactly once, and that one that did not succeed counted none twice, by the
 * commits that were written down beside the scheduling core.
 *
 * @param options  Its options.
 * @param coordinator  The coordinator, after the last event.
 * @throws SublaceError INTERNAL naming the first shard that is missing or counted twice.
 */
export function checkCompleted(
  { shardCount }: Pick<SimulationOptions, 'shardCount'>,
  coordinator: Pick<CoordinatorModel, 'commits' | 'jobState' | 'leaseCount'>,
): void {
  const { commits, jobState, leaseCount } = coordinator;
  const isDone = jobState === 'succeeded';
  const expected = new Set<string>();
  for (const phase of PHASES) {
    const count = phase === 'score' || phase === 'accumulate' ? shardCount : 1;
    for (let shard = 0; shard < count; shard++) {
      const key = `${phase}/${shard}`;
      expected.add(key);
      const times = commits.get(key) ?? 0;
      if (times > 1 || (isDone && times !== 1))
        throw new SublaceError('INTERNAL', `simulation: ${key}: expected it to count exactly once, got ${times} times`);
    }
  }
  const unknown = [...commits.keys()].find((key) => !expected.has(key));
  if (unknown !== undefined) throw new SublaceError('INTERNAL', `simulation: expected no shard ${unknown}, got its commit`);
  if (isDone && leaseCount > 0) throw new SublaceError('INTERNAL', `simulation: expected no lease at the end, got ${leaseCount}`);
}
