import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of each connection that have no answer yet. One listener for each connection: it may carry thousands of requests. */
const waiting = new WeakMap<Socket, Set<AbortController>>();

/**
 * Tells when a client has gone before it had its answer.
 *
 * @param request  The request. Its own `close` comes as soon as it was read, so only the connection tells.
 * @param response  Its answer.
 * @returns  Aborts when the connection closes while the answer is not out, also where the answer waits behind that of an earlier request.
 */
export function clientGone({ socket }: IncomingMessage, response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (socket.destroyed) gone.abort();
  const requests = waiting.get(socket) ?? watch(socket);
  requests.add(gone);
  response.once('finish', () => requests.delete(gone));
  return gone.signal;
}

function watch(socket: Socket): Set<AbortController> {
  const requests = new Set<AbortController>();
  waiting.set(socket, requests);
  socket.once('close', () => requests.forEach((gone) => gone.abort()));
  return requests;
}
