import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { rememberCall, type Call } from '../observe/call.ts';
import type { CallCode, CallObserver } from '../observe/call-observer.ts';
import { restCallKind } from './call-kind.ts';
import { isForeignPage } from './foreign-page.ts';

/**
 * Lets REST calls in or answers them with why not, before anything of their body is read, and follows them to their end.
 *
 * @param app  Before it listens.
 * @param calls  Decides and watches.
 * @param isLeaving  Whether connections are to end with the answer, so that their clients find another server.
 */
export function guardRest(app: FastifyInstance, calls: CallObserver, isLeaving: () => boolean): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (isLeaving()) void reply.header('connection', 'close');
    const { headers, raw } = request;
    const route = request.routeOptions.url;
    const length = headers['content-length'];
    const kind = restCallKind(request.method, route);
    const call = calls.begin({
      protocol: 'rest',
      kind,
      method: `${request.method} ${route ?? '(none)'}`,
      requestId: request.id,
      authorization: headers.authorization,
      traceparent: headers['traceparent']?.toString(),
      peer: raw.socket.remoteAddress ?? 'unknown',
      receivedBytes: length === undefined ? null : Number(length),
    });
    rememberCall(raw, call);
    // Comes after the last byte, and also when the client goes before it.
    reply.raw.once('close', () => end(calls, call, request, reply));
    if (call.refusal) refuse(reply, call.refusal);
    else if (request.method === 'POST' && kind === 'admin' && call.tokenName === null && isForeignPage(headers)) refuse(reply, foreign);
    else done();
  });
}

/** A page cannot send a token unless somebody gave it one; without tokens nothing else tells who meant the call. */
const foreign: Shown = {
  http: 403,
  message: "expected an admin call from the server's own page, from no browser, or with a token; got one from another page",
};

/** What a client sees of a refusal. */
type Shown = Pick<NonNullable<Call['refusal']>, 'http' | 'message' | 'retryAfter'>;

function refuse(reply: FastifyReply, { http, message, retryAfter }: Shown): void {
  if (http === 401) void reply.header('www-authenticate', 'Bearer');
  if (retryAfter !== undefined) void reply.header('retry-after', retryAfter);
  void reply.code(http).send({ error: message });
}

function end(calls: CallObserver, call: Call, { params }: FastifyRequest, reply: FastifyReply): void {
  const { raw } = reply;
  const sent = Number(reply.getHeader('content-length') ?? NaN);
  if (Number.isFinite(sent)) call.sentBytes = sent;
  const { model = '', version = '' } = (params ?? {}) as { model?: string; version?: string };
  calls.end(call, raw.writableFinished ? codeOf(raw.statusCode) : 'CANCELLED', { name: model, version });
}

const codes: Readonly<Record<number, CallCode>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  413: 'RESOURCE_EXHAUSTED',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

function codeOf(status: number): CallCode {
  if (status < 400) return 'OK';
  return codes[status] ?? (status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL');
}
