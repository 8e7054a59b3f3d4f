import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { SublaceError } from '@sublace/errors';
import type { Block } from '@sublace/partials';
import { blocksService, createWorkerClient, startServer, type ClaimedTask, type Security, type WorkerClient } from '@sublace/protocol';
import type { JsonObject } from '@sublace/scheduling';
import {
  contextOf,
  createLogger,
  failSpan,
  inside,
  serveMetrics,
  shardAttributes,
  startSpan,
  startTracing,
  traced,
  type Logger,
  type MetricsServer,
  type Span,
} from '@sublace/telemetry';
import { startCompute, type Compute } from './compute.ts';
import { HeldLease } from './held-lease.ts';
import { InputBlocks, isKept } from './input-blocks.ts';
import type { WorkerOptions } from './options.ts';
import { ShardOffers } from './shard-offers.ts';
import { WorkerMetrics } from './worker-metrics.ts';
import { openStaging, type Staging } from './staging.ts';

/** Length of a long poll for work. */
const CLAIM_WAIT_MS = 20_000;

/** Pause after a call that found no coordinator. */
const RETRY_PAUSE_MS = 250;

/** A worker that runs. */
export interface RunningWorker {
  workerId: string;
  /** HOST:PORT that the coordinator pulls results from. */
  blocksAddress: string;
  metricsPort?: number;
  /** What the task runner said when it started. */
  info: JsonObject;
  /** Settles when the worker ends: undefined after stop(), else the reason. */
  ended: Promise<SublaceError | undefined>;
  /** Hands leases back and ends, without waiting for a computation that runs. */
  stop(): Promise<void>;
}

/**
 * Starts a worker: a thread that computes, and on this thread everything that must never wait for it.
 *
 * @param options  Complete options.
 * @returns  The running worker.
 * @throws SublaceError of the task runner, INVALID_ARGUMENT, PORT_IN_USE.
 */
export async function runWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { coordinator, host, security } = options;
  const logger = createLogger({ role: 'worker', level: options.logLevel });
  const tracing = await startTracing('worker');
  const metrics = new WorkerMetrics();
  const client = createWorkerClient(coordinator, security);
  const offers = new ShardOffers(client);
  const server = await startServer({
    ...security,
    host,
    port: options.port,
    services: [blocksService((lease, name) => offers.block(lease, name))],
  });
  const closeAll = async (): Promise<void> => {
    await Promise.all([server.close(0), endpoint?.close()]);
    client.close();
    await tracing.stop();
  };
  let endpoint: MetricsServer | undefined;
  let compute: Compute;
  try {
    if (options.metricsPort !== undefined) endpoint = await serveMetrics(metrics.registry, options.metricsPort, host);
    compute = await startCompute(options);
  } catch (error) {
    await closeAll();
    throw error;
  }
  const workerId = `${hostname()}-${process.pid}-${randomBytes(2).toString('hex')}`;
  const blocksAddress = `${options.advertiseHost ?? host}:${options.advertisePort ?? server.port}`;
  const worker = new Worker(workerId, blocksAddress, options, { client, offers, compute, metrics, logger });
  const ended = worker.run().finally(() => Promise.all([compute.stop(), closeAll()]));
  const stop = async (): Promise<void> => {
    await worker.stop();
    await tracing.stop();
  };
  return { workerId, blocksAddress, ...(endpoint && { metricsPort: endpoint.port }), info: compute.info, ended, stop };
}

interface Parts {
  client: WorkerClient;
  offers: ShardOffers;
  compute: Compute;
  metrics: WorkerMetrics;
  logger: Logger;
}

class Worker {
  readonly workerId: string;
  readonly blocksAddress: string;
  readonly #coordinator: string;
  readonly #timeoutMs: number;
  readonly #security: Security;
  readonly #parts: Parts;
  readonly #inputs: InputBlocks;
  /** No more work is taken. */
  readonly #stop = new AbortController();
  /** The presence stream ends: after the leases were handed back, or they would count as lost. */
  readonly #leave = new AbortController();
  readonly #held = new Set<HeldLease>();
  /** The handing back of the leases, once it was asked for: the connection must not close before it has gone out. */
  #released: Promise<unknown> | undefined;
  /** Settles when somebody whom this worker needs, or who needs it, finds its token or certificate wrong. */
  readonly #refused = Promise.withResolvers<SublaceError>();
  /** The shard before, which the coordinator still pulls while this one is computed. */
  #offering: Promise<void> = Promise.resolve();

  constructor(workerId: string, blocksAddress: string, options: WorkerOptions, parts: Parts) {
    this.workerId = workerId;
    this.blocksAddress = blocksAddress;
    this.#coordinator = options.coordinator;
    this.#timeoutMs = options.coordinatorTimeoutMs;
    this.#security = options.security;
    this.#parts = parts;
    this.#inputs = new InputBlocks(options.coordinator, options.security);
  }

  /** Works until it is stopped, its compute thread dies, or the coordinator has been out of reach for too long. */
  async run(): Promise<SublaceError | undefined> {
    const { compute } = this.#parts;
    const failed = await Promise.race([this.#work(), compute.gone, this.#refused.promise]).catch((error: unknown) =>
      SublaceError.from(error),
    );
    const wasStopped = this.#stop.signal.aborted;
    if (!wasStopped) this.#leave.abort();
    this.#stop.abort();
    await this.#released;
    this.#inputs.close();
    return wasStopped ? undefined : failed;
  }

  async stop(): Promise<void> {
    this.#released ??= this.#handBack();
    await this.#released;
  }

  async #handBack(): Promise<void> {
    const { client } = this.#parts;
    const held = [...this.#held];
    for (const lease of held) lease.letGo();
    const released = Promise.all(held.map((lease) => client.releaseShard(lease.ref).catch(() => undefined)));
    this.#stop.abort();
    await released;
    this.#leave.abort();
  }

  async #work(): Promise<undefined> {
    await this.#attend();
    while (!this.#stop.signal.aborted) {
      const task = await this.#parts.metrics.idle(() => this.#claim());
      if (!task) continue;
      // It ends with the transfer, while the next task is computed.
      const span = startSpan(
        'task',
        { ...shardAttributes({ ...task.lease, attempt: task.attempt, workerId: this.workerId }) },
        contextOf(task.traceparent),
      );
      await inside(span, () => this.#runTask(task, span));
    }
    return undefined;
  }

  /** Keeps a presence stream open, so that the coordinator learns at once when this process dies. Resolves when it is open. */
  #attend(): Promise<void> {
    const { client } = this.#parts;
    return new Promise((resolve, reject) => {
      void (async () => {
        const reach = this.#reach();
        while (!this.#stop.signal.aborted) {
          const onAccepted = (): void => {
            reach.reached();
            resolve();
          };
          try {
            await client.attend(this.workerId, onAccepted, this.#leave.signal);
          } catch (error) {
            const failure = reach.missed(error);
            if (failure) {
              reject(failure);
              return;
            }
          }
          await this.#pause();
        }
        resolve();
      })();
    });
  }

  async #claim(): Promise<ClaimedTask | undefined> {
    const reach = this.#reach();
    while (!this.#stop.signal.aborted) {
      try {
        return await this.#parts.client.claimShard(this.workerId, CLAIM_WAIT_MS, this.#stop.signal);
      } catch (error) {
        if (this.#stop.signal.aborted) return undefined;
        const failure = reach.missed(error);
        if (failure) throw failure;
        await this.#pause();
      }
    }
    return undefined;
  }

  async #runTask(task: ClaimedTask, span: Span): Promise<void> {
    const { client, compute, offers, metrics, logger } = this.#parts;
    const { lease, spec, plan, selection, staging } = task;
    const held = new HeldLease(client, lease, task.leaseDurationMs);
    this.#held.add(held);
    const fields = { ...lease, attempt: task.attempt, workerId: this.workerId };
    logger.info(fields, 'shard is leased');
    const end = async (outcome: Promise<void>): Promise<void> => {
      await outcome.then(
        () => metrics.ended(lease.phase, 'done'),
        (error: unknown) => {
          failSpan(span, error);
          return this.#giveUp(held, error);
        },
      );
      span.end();
      held.letGo();
      this.#held.delete(held);
    };
    let staged: Staging | undefined;
    try {
      staged = staging === undefined ? undefined : await openStaging(staging);
      // Of tiles there may be more than this process has memory for: where the runner can, it pulls them itself.
      const reducers =
        compute.pullsTiles && task.reducers.length > 0 ? { addresses: task.reducers, lease, security: this.#security } : undefined;
      const { jobId, phase, shard } = lease;
      const isWanted = (address: string | undefined): boolean => !reducers || address === undefined;
      const fetchInputs = (): Promise<Block[]> => this.#inputs.fetch(task, held.lost, isWanted);
      const inputs = await metrics.time('input', phase, () => traced('inputs', {}, fetchInputs));
      metrics.brought(inputs.reduce((sum, { data }) => sum + data.byteLength, 0));
      const extra = {
        ...(plan && { plan }),
        ...(selection && { selection }),
        ...(staged && { staging: staged.folder }),
        ...(reducers && { reducers }),
      };
      const startMs = performance.now();
      const onProgress = (done: number, total: number): void => held.report(done, total);
      const result = await metrics.time('compute', phase, () =>
        traced('compute', {}, () => compute.run({ jobId, spec, phase, shard, inputs, ...extra }, onProgress, isKept)),
      );
      const computeSeconds = (performance.now() - startMs) / 1000;
      if (held.lost.aborted || this.#stop.signal.aborted)
        throw new SublaceError('FENCED', 'lease was lost while computing; the result is dropped');
      await staged?.deliver(held.lost);
      // One shard in transfer at a time bounds the memory of waiting results.
      await this.#offering;
      const offer = (): Promise<void> => offers.offer(held, this.blocksAddress, result, computeSeconds);
      this.#offering = end(metrics.time('offer', phase, () => traced('offer', {}, offer)).then(() => logger.info(fields, 'shard is done')));
    } catch (error) {
      await end(Promise.reject(SublaceError.from(error)));
    } finally {
      await staged?.dispose();
    }
  }

  /** Tells the coordinator why a shard did not work out, unless it knows better already. */
  async #giveUp(held: HeldLease, thrown: unknown): Promise<void> {
    const { client, metrics, logger } = this.#parts;
    const error = SublaceError.from(thrown);
    const { code, message, isRetryable } = error;
    const isGone = (why: string): boolean => why === 'FENCED' || why === 'NOT_FOUND';
    let isStale = held.lost.aborted || this.#stop.signal.aborted || isGone(code);
    if (!isStale && code === 'UNAUTHENTICATED') {
      // The fault of this worker's settings, not of the job: another worker does it.
      await client.releaseShard(held.ref).catch(() => undefined);
      this.#refused.resolve(error);
    } else if (!isStale) {
      await client.failShard(held.ref, { code, message, retryable: isRetryable }).catch((answer: unknown) => {
        // Without its lease, what went wrong here may well be that somebody else has cleared up.
        isStale = isGone(SublaceError.from(answer).code);
      });
    }
    metrics.ended(held.ref.phase, isStale ? 'dropped' : 'failed');
    logger.warn({ ...held.ref, code, workerId: this.workerId }, isStale ? `shard is dropped: ${message}` : `shard failed: ${message}`);
  }

  /** Counts how long the coordinator has been out of reach; gives the error to end with when that is too long. */
  #reach(): { reached(): void; missed(error: unknown): SublaceError | undefined } {
    let sinceMs: number | undefined;
    return {
      reached: () => (sinceMs = undefined),
      missed: (thrown) => {
        const error = SublaceError.from(thrown);
        // A coordinator that shuts down cancels the calls it has.
        if (!error.isRetryable && error.code !== 'CANCELLED') return error;
        sinceMs ??= Date.now();
        if (Date.now() - sinceMs < this.#timeoutMs) return undefined;
        const message = `coordinator ${this.#coordinator}: expected an answer within ${this.#timeoutMs} ms, got none; check that it runs`;
        return new SublaceError('UNAVAILABLE', message, { cause: error });
      },
    };
  }

  async #pause(): Promise<void> {
    await sleep(RETRY_PAUSE_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}
