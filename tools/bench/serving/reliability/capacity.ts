import { targetOf } from '../cases/inputs.ts';
import type { LoadTarget } from '../load/connection.ts';
import type { Encoding } from '../load/request-bodies.ts';
import type { Generator } from '../load/start-generator.ts';
import { goodLatencies } from '../measure.ts';
import type { BenchPosterior } from '../posterior.ts';
import { servingEntry, startServing, type ServingProcess } from '../serving-process.ts';

/** Settings of a server that is asked for too much: what bounds the wait of a request that it takes. */
const QUEUE = { size: 32, timeoutMs: 2_000, batch: 64 };

/** Capacity that requests are made large enough for, answers/s: ten times as many are within the means of one generator beside the server. */
const CAPACITY_MAX = 150;

/** Clients that keep a server busy. */
const CONCURRENCY = 16;

/** Room for what else the machine does, in the bound of a wait. */
const SLACK = 1.5;

/** Requests of one kind, and what a server makes of them. */
export interface Capacity {
  readonly target: LoadTarget;
  readonly examples: number;
  /** Answers a second when enough clients ask. */
  readonly perSecond: number;
  /** Longest wait of a request that was taken, ms: behind a full queue, and behind the batches that are in the thread, its own included. */
  readonly boundMs: number;
}

/**
 * Starts a server with a short queue.
 *
 * @param posterior  What it serves, as `bench`.
 * @returns  The server.
 */
export function startShortQueue(posterior: BenchPosterior): Promise<ServingProcess> {
  return startServing(servingEntry, [
    ...['--posterior', `bench=${posterior.place}`, '--http-port', '0', '--grpc-port', '0', '--max-batch-size', String(QUEUE.batch)],
    ...['--max-queue-size', String(QUEUE.size), '--queue-timeout-ms', String(QUEUE.timeoutMs)],
  ]);
}

/**
 * Makes requests so large that the server answers few of them, and measures how many.
 *
 * @param server  From {@link startShortQueue}.
 * @param encoding  How it is asked.
 * @param posterior  What it serves.
 * @param generator  Makes load.
 * @param windowMs  Of each try.
 * @returns  Requests and capacity.
 */
export async function measureCapacity(
  server: ServingProcess,
  encoding: Encoding,
  posterior: BenchPosterior,
  generator: Generator,
  windowMs: number,
): Promise<Capacity> {
  for (let examples = 1; ; examples *= 2) {
    const target = targetOf(server, encoding, { model: 'bench', input: 'input', shape: [examples, ...posterior.inputShape], outputs: [] });
    const window = await generator.run({ target, pace: { kind: 'closed', concurrency: CONCURRENCY }, warmUpMs: 300, windowMs });
    const perSecond = goodLatencies(window).length / window.seconds;
    if (perSecond <= CAPACITY_MAX || examples >= 4096) {
      const inThread = 2 * Math.max(1, Math.floor(QUEUE.batch / examples));
      const boundMs = SLACK * (Math.min(QUEUE.timeoutMs, (1000 * QUEUE.size) / perSecond) + (1000 * inThread) / perSecond);
      return { target, examples, perSecond, boundMs };
    }
    if (perSecond > 4 * CAPACITY_MAX) examples *= 2;
  }
}
