import { isFinal, type Change, type Job } from '@sublace/scheduling';

/**
 * What a watcher must be told when the jobs in Redis turn out to be others than those known here: the way from one to the other, as short as
 * it can be.
 *
 * @param before  Jobs as they were known.
 * @param after  Jobs as they are.
 * @returns  Changes, job by job.
 */
export function changesBetween(before: ReadonlyMap<string, Job>, after: ReadonlyMap<string, Job>): Change[] {
  return [...after.values()].flatMap((job) => jobChanges(before.get(job.jobId), job));
}

function jobChanges(before: Job | undefined, job: Job): Change[] {
  const { jobId, phase, state, failure, shards, shardsDone } = job;
  const changes: Change[] = [];
  if (before?.phase !== phase || before.shards.length !== shards.length)
    changes.push({ type: 'phaseStarted', jobId, phase, shardCount: shards.length, ...(shardsDone > 0 && { shardsDone }) });
  else changes.push(...shardChanges(before, job));
  if (before?.state !== state) changes.push({ type: 'jobChanged', jobId, state, ...(failure && { failure }) });
  if (isFinalised(job) && !(before && isFinalised(before) && before.shards[0].leaseToken === shards[0].leaseToken))
    changes.push({ type: 'jobFinalised', jobId, leaseToken: shards[0].leaseToken });
  return changes;
}

function shardChanges(before: Job, { jobId, phase, shards }: Job): Change[] {
  return shards.flatMap(({ state, attempt, leaseToken, lastFailure }, shard): Change[] => {
    const known = before.shards[shard];
    if (known.state === state && known.leaseToken === leaseToken && known.attempt === attempt) return [];
    const reason = state === 'pending' ? (lastFailure ?? 'Redis lost its last changes') : undefined;
    return [{ type: 'shardChanged', jobId, phase, shard, state, attempt, leaseToken, ...(reason !== undefined && { reason }) }];
  });
}

/** Every phase is done, and the posterior is not published yet. */
function isFinalised({ phase, state, shards, shardsDone }: Job): boolean {
  return phase === 'finalise' && shardsDone === shards.length && !isFinal(state);
}
