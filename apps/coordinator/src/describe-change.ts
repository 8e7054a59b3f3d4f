import type { Change } from '@sublace/scheduling';

/**
 * A change of state as one line for people.
 *
 * @param change  What changed.
 * @returns  One line without the job id.
 */
export function describeChange(change: Change): string {
  switch (change.type) {
    case 'jobChanged':
      return change.failure && change.state !== 'succeeded'
        ? `job is ${change.state}: ${change.failure.message}`
        : `job is ${change.state}`;
    case 'phaseStarted':
      return `${change.phase} starts with ${change.shardCount} ${change.shardCount === 1 ? 'task' : 'shards'}`;
    case 'shardChanged': {
      const who = change.workerId === undefined ? '' : `, worker ${change.workerId}`;
      const why = change.reason === undefined ? '' : `: ${change.reason}`;
      return `${change.phase} shard ${change.shard} is ${change.state} (attempt ${change.attempt}${who})${why}`;
    }
    case 'jobFinalised':
      return 'posterior is complete and is being published';
  }
}
