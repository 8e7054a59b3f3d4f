import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { BodyBudget, BodyHold } from './body-budget.ts';

const holds = new WeakMap<IncomingMessage, BodyHold>();

/**
 * Keeps the bodies of all requests within a budget, from the headers of each until it is answered or its client has left. What Content-Length
 * announces is taken at once, so that no upload is refused half-way; what comes in chunks is taken as it comes.
 *
 * @param app  Before it listens, and before its routes.
 * @param budget  Of all bodies together.
 * @param bodyLimitBytes  Of one body: what announces more is refused for that, unread.
 */
export function holdBodies(app: FastifyInstance, budget: BodyBudget, bodyLimitBytes: number): void {
  app.addHook('preParsing', (request, reply, payload, done) => {
    const { method, raw, headers } = request;
    const isChunked = headers['transfer-encoding'] !== undefined;
    const announced = Number(headers['content-length'] ?? 0);
    const isRead = method !== 'GET' && method !== 'HEAD' && (isChunked || (announced > 0 && announced <= bodyLimitBytes));
    if (!isRead) {
      done();
      return;
    }
    let hold: BodyHold;
    try {
      hold = budget.hold(announced);
    } catch (error) {
      // The answer goes out at once; what still comes of the body is dropped, no longer than a request may take.
      done(error as Error);
      return;
    }
    holds.set(raw, hold);
    // Of requests that are never answered: their clients went before.
    reply.raw.once('close', () => hold.release());
    done(null, isChunked ? counted(payload, hold) : payload);
  });
  app.addHook('onSend', (request, _reply, payload, done) => {
    // Whoever reads an answer slowly, or never, keeps the answer and nothing else.
    request.body = undefined;
    holds.get(request.raw)?.release();
    done(null, payload);
  });
}

/**
 * The room that the body of a request has.
 *
 * @param request  One with a body.
 * @returns  Undefined for a body of no bytes.
 */
export function holdOf(request: IncomingMessage): BodyHold | undefined {
  return holds.get(request);
}

/** The same bytes, each part once there is room for it. */
function counted(payload: Readable, hold: BodyHold): Readable {
  async function* parts(): AsyncGenerator<Buffer> {
    // A connection that is refused half-way has an answer to come.
    for await (const part of payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      hold.grow(part.length);
      yield part;
    }
  }
  // Whoever reads it stops listening once it was refused; a client that leaves after that is nobody's error.
  return Readable.from(parts(), { objectMode: false }).on('error', () => undefined);
}
