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
