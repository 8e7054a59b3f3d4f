import type { Change } from '@sublace/scheduling';
import type { NewLogLine } from './job-log/job-log.ts';

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

/**
 * A change of state as a line of the log of its job.
 *
 * @param change  What changed.
 * @param message  The same as one line for people.
 * @returns  The line.
 */
export function logLineOf(change: Change, message: string): NewLogLine {
  const line: NewLogLine = { atMs: Date.now(), level: 'info', message };
  switch (change.type) {
    case 'jobChanged':
      return { ...line, state: change.state, level: change.state === 'failed' ? 'warn' : 'info' };
    case 'phaseStarted':
      return { ...line, phase: change.phase };
    case 'shardChanged': {
      const { phase, shard, attempt, leaseToken, workerId, state, reason } = change;
      const isBad = state === 'failed' || (state === 'pending' && reason !== 'handed back');
      const where = { phase, shard, attempt, leaseToken, ...(workerId !== undefined && { workerId }) };
      return { ...line, ...where, state, level: isBad ? 'warn' : 'info' };
    }
    case 'jobFinalised':
      return { ...line, phase: 'finalise', leaseToken: change.leaseToken };
  }
}
