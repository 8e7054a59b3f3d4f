/** What operators read of a cluster: the log of a job, and who is attached. */
import type { LeaseRef, Phase } from '@sublace/scheduling';
import { leaseRefOf } from './blocks-service.ts';
import type { LogLine as LogLineMessage, LogLine__Output } from './generated/sublace/v1/LogLine.ts';
import type { WorkerOverview as WorkerOverviewMessage, WorkerOverview__Output } from './generated/sublace/v1/WorkerOverview.ts';

/** One line of the log of a job. */
export interface LogLine {
  /** Position in the log of the job, from 1; the first lines of a long log may be gone. */
  sequence: number;
  /** Milliseconds since 1970. */
  atMs: number;
  level: 'info' | 'warn';
  message: string;
  /** New state of the job, or of the shard. */
  state?: string;
  phase?: Phase;
  shard?: number;
  attempt?: number;
  leaseToken?: number;
  workerId?: string;
  /** Of the job's trace, where tracing is on. */
  traceId?: string;
}

/** A shard that somebody holds the lease of. */
export interface HeldShard {
  lease: LeaseRef;
  attempt: number;
  leasedAtMs: number;
  renewedAtMs: number;
  /** Where its blocks go to at the moment: `coordinator`, `reducer 1`; absent while it is computed. */
  transferTo?: string;
}

/** A process that is attached. */
export interface WorkerOverview {
  workerId: string;
  role: 'worker' | 'reducer';
  /** Address that its connection comes from, or that it serves on. */
  peer: string;
  attachedAtMs: number;
  /** What it holds: at most one shard that it computes and one that is transferred. */
  shards: HeldShard[];
  /** Reducers only: which tiles are its own. */
  slot?: number;
  /** Reducers only: bytes of sums that it holds. */
  heldBytes?: number;
}

/**
 * A line of a log as its message.
 *
 * @param line  The line.
 * @returns  The protobuf message.
 */
export function toLogMessage({ shard = -1, ...rest }: LogLine): LogLineMessage {
  return { ...rest, shard };
}

/**
 * A line of a log from its message.
 *
 * @param message  The protobuf message.
 * @returns  The line; only what it is about.
 */
export function fromLogMessage(message: LogLine__Output): LogLine {
  const { sequence, atMs, level, message: text, state, phase, shard, attempt, leaseToken, workerId, traceId } = message;
  return {
    sequence,
    atMs,
    level: level === 'warn' ? 'warn' : 'info',
    message: text,
    ...(state !== '' && { state }),
    ...(phase !== '' && { phase: phase as Phase }),
    ...(shard >= 0 && { shard, attempt, leaseToken }),
    ...(workerId !== '' && { workerId }),
    ...(traceId !== '' && { traceId }),
  };
}

/**
 * An attached process as its message.
 *
 * @param worker  The process.
 * @returns  The protobuf message.
 */
export function toWorkerMessage(worker: WorkerOverview): WorkerOverviewMessage {
  return { ...worker };
}

/**
 * An attached process from its message.
 *
 * @param message  The protobuf message.
 * @returns  The process.
 */
export function fromWorkerMessage(message: WorkerOverview__Output): WorkerOverview {
  const { role, shards, slot, heldBytes, ...rest } = message;
  return {
    ...rest,
    role: role === 'reducer' ? 'reducer' : 'worker',
    shards: shards.map(({ lease, transferTo, ...held }) => ({
      ...held,
      lease: leaseRefOf(lease),
      ...(transferTo !== '' && { transferTo }),
    })),
    ...(role === 'reducer' && { slot, heldBytes }),
  };
}
