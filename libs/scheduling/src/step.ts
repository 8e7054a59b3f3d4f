import type { Effect, SchedulingEvent } from './events.ts';
import { addJob, endJob, failJob, publishJob, restartPhase } from './job-transitions.ts';
import { PHASES } from './phase.ts';
import { claimShard, completeShard, failShard, loseLeases, releaseShard, renewLease, voidLeases } from './shard-transitions.ts';
import { isFinal, type Job, type SchedulerState } from './state.ts';

/** Tokens skipped when a store is opened again: more than can have been handed out without reaching the disk. */
const REOPEN_TOKEN_GAP = 1_000_000;

/**
 * One step of the scheduler: an event and the time in, the new state and what follows out. No clock, no randomness, no I/O: the same events
 * at the same times give the same states, which is what makes a log of events a backup.
 *
 * @param state  The state before. Consumed: jobs may have thousands of shards, so it is changed in place and returned.
 * @param event  What happened.
 * @param nowMs  When, in milliseconds on any clock that never goes back.
 * @returns  The state after, and the effects: exactly one reply, first, then the changes in order.
 */
export function step(state: SchedulerState, event: SchedulingEvent, nowMs: number): { state: SchedulerState; effects: Effect[] } {
  const effects: Effect[] = [];
  switch (event.type) {
    case 'submitJob':
      effects.push({ type: 'accepted' });
      if (!state.jobs.has(event.jobId)) addJob(state, event, nowMs, effects);
      break;
    case 'claimShard':
      claimShard(state, event.workerId, nowMs, effects);
      break;
    case 'renewLease':
    case 'offerTiles':
      renewLease(state, event.ref, nowMs, effects);
      break;
    case 'completeShard':
      completeShard(state, event.ref, event.summary, effects);
      break;
    case 'failShard':
      failShard(state, event.ref, event, effects);
      break;
    case 'releaseShard':
      releaseShard(state, event.ref, effects);
      break;
    case 'releaseWorker':
      loseLeases(
        state,
        (lease) => lease.workerId === event.workerId,
        () => event.reason,
        effects,
      );
      break;
    case 'requeueExpired':
      loseLeases(
        state,
        (lease) => lease.leaseExpiresAtMs <= nowMs,
        (lease) => `lease of worker ${lease.workerId} expired`,
        effects,
      );
      break;
    case 'reopen':
      voidLeases(state, 'the coordinator was restarted', effects);
      state.nextToken += REOPEN_TOKEN_GAP;
      break;
    default:
      withJob(state, event.jobId, effects, (job) => {
        if (event.type === 'cancelJob') endJob(state, job, 'cancelled', { code: 'CANCELLED', message: event.reason }, effects);
        else if (event.type === 'failJob') failJob(state, job, event.code, event.message, effects);
        else if (event.type === 'publishJob') publishJob(state, job, effects);
        else if (PHASES.indexOf(event.phase) <= PHASES.indexOf(job.phase) && !isFinal(job.state))
          restartPhase(state, job, event.phase, event.shards, effects);
      });
  }
  return { state, effects };
}

function withJob(state: SchedulerState, jobId: string, effects: Effect[], act: (job: Job) => void): void {
  const job = state.jobs.get(jobId);
  if (!job) {
    effects.push({ type: 'unknownJob', jobId });
    return;
  }
  effects.push({ type: 'accepted' });
  act(job);
}
