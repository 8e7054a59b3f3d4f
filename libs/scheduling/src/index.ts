export { isChange, type Change, type Effect, type Reply, type SchedulingEvent } from './events.ts';
export { PHASES, isPhase, phaseAfter, type Phase, type TaskSummary, type JsonValue, type JsonObject } from './phase.ts';
export {
  SCHEDULING_DEFAULTS,
  emptyState,
  isFinal,
  type Failure,
  type Job,
  type JobState,
  type Lease,
  type LeaseRef,
  type SchedulerState,
  type SchedulingOptions,
  type Shard,
  type ShardState,
} from './state.ts';
export { step } from './step.ts';
