import { below, contextOf, failSpan, isTracing, spanBetween, startSpan, type Span } from '@sublace/telemetry';
import { SublaceError, type ErrorCode } from '@sublace/errors';
import type { CallKind } from '../access/call-kind.ts';
import type { Gate, RefusalReason } from '../access/gate.ts';
import { newRequestId } from '../inference/request-id.ts';
import type { RequestContext } from '../inference/request-context.ts';
import type { Call } from './call.ts';
import { silentObserver, type EndedRequest, type ModelKey, type ServingObserver } from './observer.ts';

/** How a call ended: the codes of this project, and the one that only a gate gives. */
export type CallCode = ErrorCode | 'OK' | 'PERMISSION_DENIED';

/** What a call says of itself before its body. */
export interface ArrivingCall {
  readonly protocol: Call['protocol'];
  readonly kind: CallKind;
  readonly method: string;
  readonly requestId: string | undefined;
  readonly authorization: string | undefined;
  readonly traceparent: string | undefined;
  readonly peer: string;
  readonly receivedBytes: number | null;
}

/** Where the lines of calls go. */
export interface CallLog {
  /** A line for each call; else only for those that failed by a defect. */
  readonly isFull: boolean;
  write(level: 'error' | 'info', line: object): void;
}

/** Counts of calls that no model version has a part in. */
export interface CallCounts {
  readonly inFlight: Readonly<Record<Call['protocol'], number>>;
  readonly refused: Readonly<Record<RefusalReason, number>>;
}

/** Lets calls in or not, and follows them to their end: counts, a log line each, a span for each inference. */
export class CallObserver {
  readonly #gate: Gate;
  readonly #observer: ServingObserver;
  readonly #resolve: (name: string, version: string) => ModelKey;
  readonly #log: CallLog;
  #underWay = 0;
  #onIdle: (() => void)[] = [];
  readonly #inFlight = { rest: 0, grpc: 0 };
  readonly #refused = { unauthenticated: 0, forbidden: 0, rate_limited: 0 };

  /**
   * @param options  See below.
   * @param options.gate  Who is let in.
   * @param options.observer  Is told of inferences that ended before a model was asked.
   * @param options.resolve  The version that a request means; itself when there is none.
   * @param options.log  Where lines go.
   */
  constructor(options: { gate: Gate; observer: ServingObserver; resolve: (name: string, version: string) => ModelKey; log: CallLog }) {
    this.#gate = options.gate;
    this.#observer = options.observer;
    this.#resolve = options.resolve;
    this.#log = options.log;
  }

  /** Counts so far. */
  get counts(): CallCounts {
    return { inFlight: { ...this.#inFlight }, refused: { ...this.#refused } };
  }

  /**
   * A call has come.
   *
   * @param arriving  What its headers say.
   * @returns  The call; whoever called answers it with its refusal when it has one, and calls {@link end} in any case.
   */
  begin(arriving: ArrivingCall): Call {
    const { protocol, kind, method, peer, receivedBytes } = arriving;
    const { tokenName, refusal } = this.#gate.admit(kind, arriving.authorization, peer);
    if (isWork(kind)) this.#underWay += 1;
    if (refusal) this.#refused[refusal.reason] += 1;
    else if (kind === 'inference') this.#inFlight[protocol] += 1;
    const requestId = newRequestId(arriving.requestId);
    const span =
      kind === 'inference' && !refusal && isTracing()
        ? startSpan('infer', { 'sublace.protocol': protocol, 'sublace.request_id': requestId }, contextOf(arriving.traceparent ?? ''))
        : null;
    const startedAtMs = performance.now();
    return { protocol, kind, method, requestId, peer, tokenName, refusal, startedAtMs, receivedBytes, sentBytes: null, span };
  }

  /**
   * A call is over.
   *
   * @param call  From {@link begin}; each once.
   * @param code  How it ended, unless its inference says so.
   * @param asked  Name and version that an inference asked for, as they came.
   */
  end(call: Call, code: CallCode, asked?: ModelKey): void {
    const isInference = call.kind === 'inference' && !call.refusal;
    if (isInference) this.#inFlight[call.protocol] -= 1;
    // What is wrong with its form shows before any model is asked; it is a request of that model all the same.
    if (isInference && !call.ended) this.#endUnread(call, code === 'PERMISSION_DENIED' ? 'UNAUTHENTICATED' : code, asked);
    this.#writeLine(call, code);
    call.span?.end();
    if (isWork(call.kind)) this.#underWay -= 1;
    if (this.#underWay === 0) this.#onIdle.splice(0).forEach((resolve) => resolve());
  }

  /** Resolves once no call is under way, but for those of probes and of the page, which may last for ever. */
  async whenIdle(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  #endUnread(call: Call, code: EndedRequest['code'], asked: ModelKey = { name: '', version: '' }): void {
    const total = (performance.now() - call.startedAtMs) / 1000;
    const { name, version } = this.#resolve(asked.name, asked.version);
    call.ended = { name, version, protocol: call.protocol, code, count: 0, total, queue: 0, compute: 0 };
    this.#observer.requestEnded(call.ended, null);
    if (call.span && code !== 'OK') failSpan(call.span, new SublaceError(code, 'refused before a model was asked'));
  }

  #writeLine(call: Call, code: CallCode): void {
    const { protocol, method, requestId, peer, tokenName, receivedBytes, sentBytes, ended, startedAtMs } = call;
    const outcome = ended && ended.code !== 'OK' ? ended.code : code;
    const level = outcome === 'INTERNAL' ? 'error' : 'info';
    if (level === 'info' && !this.#log.isFull) return;
    this.#log.write(level, {
      requestId,
      protocol,
      method,
      ...(ended && { model: ended.name.slice(0, 100), version: ended.version.slice(0, 100) }), // clients write what they like
      code: outcome,
      ...(ended && ended.count > 0 && { count: ended.count }),
      ...(receivedBytes !== null && { receivedBytes }),
      ...(sentBytes !== null && { sentBytes }),
      durationMs: round(performance.now() - startedAtMs),
      ...(ended && ended.compute > 0 && { queueMs: round(ended.queue * 1000), computeMs: round(ended.compute * 1000) }),
      ...(tokenName !== null && { tokenName }),
      peer,
      ...traceIdOf(call.span),
    });
  }
}

function isWork(kind: CallKind): boolean {
  return kind === 'inference' || kind === 'admin';
}

/**
 * The observer that ties what became of an inference to the call that it came by, and puts its queueing and computing below the call's span.
 *
 * @returns  For {@link observersAsOne}.
 */
export function callEnds(): ServingObserver {
  return {
    ...silentObserver,
    requestEnded(ended: EndedRequest, context: RequestContext | null): void {
      const call = context?.call;
      if (!call) return;
      call.ended = ended;
      if (call.span?.isRecording()) addSpans(call.span, ended);
    },
  };
}

function addSpans(span: Span, { name, version, code, count, queue, compute, batch }: EndedRequest): void {
  span.setAttributes({ 'sublace.model': name, 'sublace.version': version, 'sublace.examples': count });
  if (code !== 'OK') failSpan(span, new SublaceError(code, 'see the answer'));
  if (compute <= 0) return;
  const batchAttributes = batch ? { 'sublace.batch_requests': batch.requests, 'sublace.batch_examples': batch.examples } : {};
  const endMs = performance.timeOrigin + performance.now();
  const computeMs = endMs - compute * 1000;
  spanBetween('queue', {}, below(span), computeMs - queue * 1000, computeMs);
  spanBetween('compute', batchAttributes, below(span), computeMs, endMs);
}

/** The line is written when the call is over, outside any context that a logger would look at. */
function traceIdOf(span: Span | null): object {
  if (!span?.isRecording()) return {};
  const { traceId, spanId } = span.spanContext();
  return { trace_id: traceId, span_id: spanId };
}

/** To the microsecond. */
function round(timeMs: number): number {
  return Math.round(timeMs * 1000) / 1000;
}
