import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { restCallKind } from '../access/call-kind.ts';

/** What the server reads of a request beside what every page may send. Authorization has to be named, also where any origin is allowed. */
const requestHeaders = [
  'accept-encoding',
  'authorization',
  'content-encoding',
  'content-type',
  'inference-header-content-length',
  'traceparent',
  'tracestate',
  'x-request-id',
].join(', ');

/** What clients read of an answer beside what every page may read. */
const answerHeaders = ['inference-header-content-length', 'retry-after', 'www-authenticate', 'x-request-id'].join(', ');

/** How long a browser may go by the answer to a preflight, seconds: the longest that Chromium takes. */
const preflightMaxAge = 7_200;

/**
 * Lets pages of other origins call the server, by the CORS protocol of the Fetch standard. Calls that need an admin token are never among what they
 * may do, and cookies never count: a page sends a token of its own.
 *
 * @param app  Before anything else listens for requests: a preflight has no token, and is answered before any is asked for.
 * @param origins  Such as `https://app.example.org`; `*` for all.
 * @returns  Headers for an answer that is given before any route is looked for.
 */
export function addCors(app: FastifyInstance, origins: readonly string[]): (request: FastifyRequest) => Record<string, string> {
  const headersFor = (request: FastifyRequest): Record<string, string> => corsHeaders(origins, request);
  app.addHook('onRequest', (request, reply, done) => {
    const isAllowed = isPreflight(request) && 'access-control-allow-origin' in headersFor(request);
    if (isAllowed) answerPreflight(reply);
    else done();
  });
  // Last, since answers have a Vary of their own.
  app.addHook('onSend', (request, reply, payload, done) => {
    const { vary, ...headers } = headersFor(request);
    const varied = reply.getHeader('vary');
    void reply.headers(headers);
    if (vary) void reply.header('vary', varied === undefined ? vary : `${String(varied)}, ${vary}`);
    done(null, payload);
  });
  return headersFor;
}

function corsHeaders(origins: readonly string[], request: FastifyRequest): Record<string, string> {
  const { origin } = request.headers;
  if (restCallKind(methodOf(request), request.routeOptions.url) === 'admin') return {};
  const exposed = { 'access-control-expose-headers': answerHeaders };
  if (origins.includes('*')) return { 'access-control-allow-origin': '*', ...exposed };
  // A cache must not give one origin what another was answered, nor what was answered to none.
  const vary = { vary: 'origin' };
  return origin !== undefined && origins.includes(origin) ? { 'access-control-allow-origin': origin, ...exposed, ...vary } : vary;
}

function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}

/** Of the call that a preflight asks about, else of the request itself. */
function methodOf(request: FastifyRequest): string {
  return isPreflight(request) ? String(request.headers['access-control-request-method']) : request.method;
}

/** The same for every path: what exists is nobody's business yet. */
function answerPreflight(reply: FastifyReply): void {
  void reply
    .code(204)
    .headers({
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': requestHeaders,
      'access-control-max-age': String(preflightMaxAge),
    })
    .send();
}
