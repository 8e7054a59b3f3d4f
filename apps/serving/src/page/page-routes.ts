import type { FastifyInstance, FastifyReply } from 'fastify';
import type { InferenceService } from '../inference/run-inference.ts';
import { overviewOf } from './overview.ts';
import type { StaticFile } from './static-files.ts';

/** What a browser may do with the page: run and show what comes from this server, and nothing else. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const securityHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** What `/` answers where the page has not been built: the server does everything else without it. */
const missing = 'sublace: the page is not built; build it with `npm run setup` in the repository, then start the server again\n';

/**
 * The page at `/` with its assets, and `GET /sublace/v1/overview`, from which it draws. One route for each file that was read at the start.
 *
 * @param app  Before it listens.
 * @param options  What to serve.
 * @param options.files  Of the page; null when it is not built.
 * @param options.service  What the overview is of.
 */
export function addPageRoutes(
  app: FastifyInstance,
  { files, service }: { files: readonly StaticFile[] | null; service: Pick<InferenceService, 'repository' | 'statistics'> },
): void {
  for (const file of files ?? []) {
    app.get(file.path, ({ headers }, reply) => answerFile(file, headers['accept-encoding']?.toString(), headers['if-none-match'], reply));
  }
  if (!files) {
    app.get('/', (_request, reply) =>
      reply.headers(securityHeaders).header('cache-control', 'no-store').type('text/plain; charset=utf-8').send(missing),
    );
  }
  app.get<{ Querystring: { since?: unknown } }>('/sublace/v1/overview', ({ query }, reply) => {
    void reply.headers(securityHeaders).header('cache-control', 'no-store');
    const since = Number(query.since ?? 0);
    return overviewOf(service, Number.isFinite(since) ? since : 0);
  });
}

function answerFile(file: StaticFile, accepted: string | undefined, known: string | undefined, reply: FastifyReply): FastifyReply {
  void reply
    .headers(securityHeaders)
    .header('cache-control', file.isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
    .header('etag', file.etag)
    .header('vary', 'accept-encoding')
    .type(file.contentType);
  if (known === file.etag) return reply.code(304).send();
  if (!file.gzipped || !/\bgzip\b(?!\s*;\s*q=0(?![.]\d*[1-9]))/i.test(accepted ?? '')) return reply.send(file.body);
  return reply.header('content-encoding', 'gzip').send(file.gzipped);
}
