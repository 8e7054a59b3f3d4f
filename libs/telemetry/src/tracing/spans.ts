import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { SublaceError } from '@sublace/errors';
import { jobTraceIds, withIds } from './trace-ids.ts';

/** The shard that a span is about. */
export interface SpanShard {
  readonly jobId: string;
  readonly phase: string;
  readonly shard: number;
  readonly leaseToken: number;
  readonly attempt?: number;
  readonly workerId?: string;
}

/**
 * Attributes that name a shard.
 *
 * @param shard  The shard.
 * @returns  Attributes under `sublace.`.
 */
export function shardAttributes({ jobId, phase, shard, leaseToken, attempt, workerId }: SpanShard): Attributes {
  return {
    'sublace.job_id': jobId,
    'sublace.phase': phase,
    'sublace.shard': shard,
    'sublace.lease_token': leaseToken,
    ...(attempt !== undefined && { 'sublace.attempt': attempt }),
    ...(workerId !== undefined && { 'sublace.worker_id': workerId }),
  };
}

/**
 * Starts a span that somebody else ends.
 *
 * @param name  What it is; a few names only, the rest are attributes.
 * @param attributes  What it is about.
 * @param parent  Context of the span above; the active one when left out.
 * @returns  The span.
 */
export function startSpan(name: string, attributes: Attributes, parent: Context = context.active()): Span {
  return trace.getTracer('sublace').startSpan(name, { attributes }, parent);
}

/**
 * A span of something that is over: whoever did it has only told how long it took.
 *
 * @param name  What it was.
 * @param attributes  What it was about.
 * @param parent  Context of the span above.
 * @param startMs  When it began, milliseconds since 1970.
 * @param endMs  When it ended.
 */
export function spanBetween(name: string, attributes: Attributes, parent: Context, startMs: number, endMs: number): void {
  trace.getTracer('sublace').startSpan(name, { attributes, startTime: startMs }, parent).end(endMs);
}

/**
 * Starts the span of a whole job, above all others of its trace.
 *
 * @param jobId  The job.
 * @param startMs  When it was submitted, milliseconds since 1970.
 * @returns  The span.
 */
export function startJobSpan(jobId: string, startMs: number): Span {
  // Who submitted it has a trace of its own, perhaps; the job may outlive it by days.
  const submitter = trace.getSpanContext(context.active());
  const links = submitter ? [{ context: submitter }] : [];
  const options = { root: true, kind: SpanKind.PRODUCER, startTime: new Date(startMs), attributes: { 'sublace.job_id': jobId }, links };
  return withIds(jobTraceIds(jobId), () => trace.getTracer('sublace').startSpan('job', options, ROOT_CONTEXT));
}

/**
 * Runs something inside a span: spans that it starts are below, calls that it makes carry it.
 *
 * @param name  What it is.
 * @param attributes  What it is about.
 * @param run  Does it.
 * @param parent  Context of the span above; the active one when left out.
 * @returns  What it returns.
 */
export async function traced<T>(
  name: string,
  attributes: Attributes,
  run: (span: Span) => Promise<T>,
  parent: Context = context.active(),
): Promise<T> {
  const span = startSpan(name, attributes, parent);
  try {
    return await context.with(trace.setSpan(parent, span), run, undefined, span);
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/**
 * Runs something inside a span that somebody else ends.
 *
 * @param span  The span.
 * @param run  Does it.
 * @returns  What it returns.
 */
export function inside<T>(span: Span, run: () => T): T {
  return context.with(below(span), run);
}

/**
 * Marks a span as failed; it is ended by whoever started it.
 *
 * @param span  The span.
 * @param thrown  What went wrong.
 */
export function failSpan(span: Span, thrown: unknown): void {
  const { code, message } = SublaceError.from(thrown);
  span.setAttribute('error.type', code);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/**
 * A span as W3C trace context, to be sent along.
 *
 * @param span  The span.
 * @returns  The `traceparent`; empty where tracing is off.
 */
export function traceparentOf(span: Span): string {
  const carrier: Record<string, string> = {};
  propagation.inject(trace.setSpan(ROOT_CONTEXT, span), carrier);
  return carrier['traceparent'] ?? '';
}

/**
 * The context that a W3C trace context names.
 *
 * @param traceparent  As it came; may be empty.
 * @returns  A context to start spans in.
 */
export function contextOf(traceparent: string): Context {
  return traceparent === '' ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, { traceparent });
}

/**
 * The context of a span.
 *
 * @param span  The span.
 * @returns  A context to start spans below it in.
 */
export function below(span: Span): Context {
  return trace.setSpan(ROOT_CONTEXT, span);
}
