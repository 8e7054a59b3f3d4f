import { createHash, randomBytes } from 'node:crypto';

/** Ids of a trace and of a span in it, in hexadecimal. */
export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
}

/**
 * The trace of a job and the span of the whole job. They follow from the id of the job: every process knows them without being told, and a
 * coordinator that starts again goes on with the same trace.
 *
 * @param jobId  The job.
 * @returns  Ids that are the same everywhere.
 */
export function jobTraceIds(jobId: string): TraceIds {
  const digest = createHash('sha256').update(`sublace job ${jobId}`).digest('hex');
  return { traceId: digest.slice(0, 32), spanId: digest.slice(32, 48) };
}

let preset: TraceIds | undefined;

/** Random ids, or those that {@link withIds} asks for. */
export const idGenerator = {
  generateTraceId: (): string => preset?.traceId ?? randomBytes(16).toString('hex'),
  generateSpanId: (): string => preset?.spanId ?? randomBytes(8).toString('hex'),
};

/**
 * Starts one span with ids that are given.
 *
 * @param ids  The ids.
 * @param start  Starts the span, synchronously.
 * @returns  What it returns.
 */
export function withIds<T>(ids: TraceIds, start: () => T): T {
  preset = ids;
  try {
    return start();
  } finally {
    preset = undefined;
  }
}
