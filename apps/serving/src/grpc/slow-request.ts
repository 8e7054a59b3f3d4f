import { ServerInterceptingCall, ServerListenerBuilder, status as GrpcStatus, type ServerInterceptor } from '@grpc/grpc-js';

/**
 * Gives up calls whose message does not come: a client that sends it byte by byte, and answers pings, would otherwise keep its stream for ever.
 *
 * @param timeoutMs  Until when the message must be there, milliseconds.
 * @returns  For `new Server({ interceptors: [...] })`; calls that stream their requests are left alone.
 */
export function giveUpSlowRequests(timeoutMs: number): ServerInterceptor {
  return (method, call) => {
    if (method.requestStream) return new ServerInterceptingCall(call);
    const details = `expected the message of the request within ${timeoutMs} ms, got a part of it`;
    const timer = setTimeout(() => call.sendStatus({ code: GrpcStatus.DEADLINE_EXCEEDED, details }), timeoutMs);
    const listener = new ServerListenerBuilder()
      .withOnReceiveHalfClose((next) => {
        clearTimeout(timer);
        next();
      })
      .withOnCancel(() => clearTimeout(timer))
      .build();
    return new ServerInterceptingCall(call, { start: (next) => next(listener) });
  };
}
