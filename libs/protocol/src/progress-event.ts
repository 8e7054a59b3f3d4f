import type { ErrorCode } from '@sublace/errors';
import { isErrorCode } from '@sublace/errors';
import type { JobState, JsonObject, Phase } from '@sublace/scheduling';
import type { Failure__Output } from './generated/sublace/v1/Failure.ts';
import type { ProgressEvent__Output, ProgressEvent as ProgressEventMessage } from './generated/sublace/v1/ProgressEvent.ts';

/** Why a job failed. */
export interface JobFailure {
  code: ErrorCode;
  /** One line: expected, got, what to do. */
  message: string;
  /** The phase and shard that failed, when one did. */
  phase?: Phase;
  shard?: number;
}

/** Time and traffic of one phase. */
export interface PhaseReport {
  phase: Phase;
  seconds: number;
  shardCount: number;
  /** Bytes of blocks that went from workers to the coordinator. */
  bytesPulled: number;
  /** Seconds that the coordinator spent adding blocks. */
  reduceSeconds: number;
  /** Sum over the shards that were committed: seconds that workers computed on them. */
  computeSeconds: number;
  /** Sum over the shards that were committed: seconds from the offer of their blocks to the last block's addition. */
  transferSeconds: number;
  /** Phase finalise: of its seconds, the ones from the end of its task to the artifact in its place. */
  publishSeconds: number;
}

/** Where a job stands. */
export interface ProgressEvent {
  jobId: string;
  state: JobState;
  phase: Phase;
  shardsDone: number;
  shardsTotal: number;
  /** Examples of the phase, fractions of running shards included; 0 of 0 in phases that do not walk over examples. */
  examplesDone: number;
  examplesTotal: number;
  /** Workers that hold a lease of the job now. */
  workerCount: number;
  /** Phases begun so far, in order. */
  phases: PhaseReport[];
  /** What changed, as one line; empty for mere progress. */
  message: string;
  /** With state failed or cancelled. */
  failure?: JobFailure;
  /** With state succeeded: the summary of the finalise task. */
  result?: JsonObject;
  /** What the job waits for, as one line; empty while shards are being computed. */
  waitsFor: string;
  /** Time of the event, milliseconds since 1970. */
  atMs: number;
}

/**
 * A progress event as its message.
 *
 * @param event  The event.
 * @returns  The protobuf message.
 */
export function toProgressMessage(event: ProgressEvent): ProgressEventMessage {
  const { failure, result, ...rest } = event;
  return { ...rest, failure: failure ?? null, resultJson: result === undefined ? '' : JSON.stringify(result) };
}

/**
 * A progress event from its message.
 *
 * @param message  The protobuf message.
 * @returns  The event.
 */
export function fromProgressMessage(message: ProgressEvent__Output): ProgressEvent {
  const { failure, resultJson, state, phase, phases, ...rest } = message;
  return {
    ...rest,
    state: state as JobState,
    phase: phase as Phase,
    phases: phases.map((report) => ({ ...report, phase: report.phase as Phase })),
    ...(failure ? { failure: fromFailureMessage(failure) } : {}),
    ...(resultJson === '' ? {} : { result: JSON.parse(resultJson) as JsonObject }),
  };
}

/**
 * A failure from its message.
 *
 * @param message  The protobuf message.
 * @returns  The failure; phase and shard only where a shard failed.
 */
export function fromFailureMessage(message: Failure__Output): JobFailure {
  const code = isErrorCode(message.code) ? message.code : 'INTERNAL';
  const where = message.phase === '' ? {} : { phase: message.phase as Phase, shard: message.shard };
  return { code, message: message.message, ...where };
}
