import type { Change, Lease, LeaseRef, Reply, SchedulingEvent, SchedulingOptions } from '@sublace/scheduling';
import type { ScriptName } from './scripts.ts';

/** An event as a script and its arguments, the session left out. */
export interface ScriptCall {
  script: ScriptName;
  args: string[];
}

/** What every script of an event answers. */
export interface ScriptAnswer {
  status: string;
  revision: number;
  /** Whether it changed anything. */
  hasWritten: boolean;
  changes: Change[];
  more: (string | number)[];
}

/**
 * The script that makes an event happen.
 *
 * @param event  Any event but `reopen`, which is what taking over does.
 * @param nowMs  The coordinator's time.
 * @param options  Lease duration and attempts.
 * @returns  Script and arguments.
 */
export function callOf(event: Exclude<SchedulingEvent, { type: 'reopen' }>, nowMs: number, options: SchedulingOptions): ScriptCall {
  const deadline = String(nowMs + options.leaseDurationMs);
  const attemptsMax = String(options.attemptsMax);
  switch (event.type) {
    case 'submitJob':
      return { script: 'submit-job', args: [event.jobId, JSON.stringify(event.spec), String(event.priority ?? 0), String(nowMs)] };
    case 'claimShard':
      return { script: 'claim-shard', args: [event.workerId, deadline] };
    case 'renewLease':
    case 'offerTiles':
      return { script: 'renew-lease', args: [...wordsOf(event.ref), deadline] };
    case 'completeShard': {
      const { shards } = event.summary;
      const planned = event.ref.phase === 'plan' && Array.isArray(shards) && shards.length > 0 ? String(shards.length) : '';
      return { script: 'complete-shard', args: [...wordsOf(event.ref), JSON.stringify(event.summary), planned] };
    }
    case 'failShard': {
      const { code, message, retryable } = event;
      return { script: 'fail-shard', args: [...wordsOf(event.ref), code, message, retryable ? '1' : '0', attemptsMax] };
    }
    case 'releaseShard':
      return { script: 'release-shard', args: wordsOf(event.ref) };
    case 'releaseWorker':
      return { script: 'release-worker', args: [event.workerId, event.reason, attemptsMax] };
    case 'requeueExpired':
      return { script: 'requeue-expired', args: [String(nowMs), attemptsMax] };
    case 'cancelJob':
      return { script: 'end-job', args: [event.jobId, 'cancelled', 'CANCELLED', event.reason] };
    case 'failJob':
      return { script: 'end-job', args: [event.jobId, 'failed', event.code, event.message] };
    case 'publishJob':
      return { script: 'publish-job', args: [event.jobId] };
    case 'restartPhase': {
      const lost = event.shards ? ['some', ...event.shards.map(String)] : ['all'];
      return { script: 'restart-phase', args: [event.jobId, event.phase, ...lost] };
    }
  }
}

/**
 * The common part of what a script answered.
 *
 * @param answer  As it came.
 * @returns  Its parts.
 */
export function parseAnswer(answer: (string | number)[]): ScriptAnswer {
  const [status, revision, hasWritten, changes, ...more] = answer;
  return {
    status: String(status),
    revision: Number(revision),
    hasWritten: hasWritten === 1,
    changes: changes === '' ? [] : (JSON.parse(String(changes)) as Change[]),
    more,
  };
}

/**
 * A script's answer as the scheduler's reply, word for word.
 *
 * @param event  What happened.
 * @param answer  What the script said.
 * @param leaseExpiresAtMs  Expiry of a lease that was given or renewed.
 * @returns  The reply.
 */
export function replyOf(event: SchedulingEvent, { status, more }: ScriptAnswer, leaseExpiresAtMs: number): Reply {
  if (status === 'leased' && event.type === 'claimShard') {
    const [jobId, phase, shard, leaseToken, attempt] = more;
    const { workerId } = event;
    return { type: 'leased', lease: { jobId, phase, shard, leaseToken, workerId, attempt, leaseExpiresAtMs } as Lease };
  }
  if (status === 'renewed') return { type: 'renewed', leaseExpiresAtMs };
  if (status === 'fenced' && 'ref' in event) return { type: 'fenced', message: fencedMessage(event.ref, String(more[0]), String(more[1])) };
  if (status === 'unknownJob') return { type: 'unknownJob', jobId: 'ref' in event ? event.ref.jobId : 'jobId' in event ? event.jobId : '' };
  return { type: status as 'accepted' | 'idle' | 'duplicate' };
}

function fencedMessage({ jobId, phase, shard, leaseToken }: LeaseRef, jobState: string, current: string): string {
  const where = `${phase} shard ${shard} of job ${jobId}`;
  if (['succeeded', 'failed', 'cancelled'].includes(jobState)) return `${where}: the job is ${jobState}; drop the result`;
  return `${where}: expected lease token ${current}, got ${leaseToken}; drop the result`;
}

function wordsOf({ jobId, phase, shard, leaseToken }: LeaseRef): string[] {
  return [jobId, phase, String(shard), String(leaseToken)];
}
