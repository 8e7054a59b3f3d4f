import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { openObjectStore } from '@sublace/artifact-store';
import type { SublaceError } from '@sublace/errors';
import { blocksService, createReducerAttendance, startServer } from '@sublace/protocol';
import { ShardPuller, type CheckpointNote } from '@sublace/reduction';
import { createLogger, serveMetrics, startTracing, type Logger } from '@sublace/telemetry';
import { Attendance } from './attendance.ts';
import { LeaseCheck } from './lease-check.ts';
import type { ReducerOptions } from './options.ts';
import { ReducerMetrics } from './reducer-metrics.ts';
import { reducerService } from './reducer-service.ts';
import { SlotSums } from './slot-sums.ts';

/** A reducer that runs. */
export interface RunningReducer {
  reducerId: string;
  /** HOST:PORT of its services. */
  address: string;
  metricsPort?: number;
  /** Settles when it ends: undefined after stop(), else the reason. */
  ended: Promise<SublaceError | undefined>;
  /** Writes a checkpoint of every job and ends. */
  stop(): Promise<void>;
}

/**
 * Starts a reducer: it attends at the coordinator, gets a slot, and sums the tiles of that slot.
 *
 * @param options  Complete options.
 * @returns  The running reducer.
 * @throws SublaceError INVALID_ARGUMENT, PORT_IN_USE.
 */
export async function runReducer(options: ReducerOptions): Promise<RunningReducer> {
  const { host, security } = options;
  const logger = createLogger({ role: 'reducer', level: options.logLevel });
  const reducerId = `${hostname()}-${process.pid}-${randomBytes(2).toString('hex')}`;
  const checkpoints = options.checkpoints === undefined ? undefined : openObjectStore(options.checkpoints);
  const ending = new AbortController();
  const tracing = await startTracing('reducer');
  const cleanups: (() => unknown)[] = [() => tracing.stop(), () => checkpoints?.close()];

  const onNote = (note: CheckpointNote): void => {
    metrics.noted(note);
    logNote(logger, note);
    // Somebody else sums in this slot now; what is here is of no use, and must not be in the way.
    if (note.error?.code === 'CONFLICT') attendance.end(note.error);
  };
  const sums = new SlotSums({ checkpoints, intervalMs: options.checkpointIntervalMs, onNote });
  const metrics = new ReducerMetrics(sums);
  const puller = new ShardPuller(security);
  const client = createReducerAttendance(options.coordinator, security);
  const leases = new LeaseCheck((lease) => client.checkLease(lease, reducerId));
  cleanups.push(
    () => sums.stop(),
    () => puller.close(),
    () => client.close(),
  );
  const blocks = blocksService(async (lease, name) => {
    await leases.check(lease);
    return sums.of(lease.jobId).input(name);
  });
  const service = reducerService({ sums, puller, ending: ending.signal, onPulled: (report, seconds) => metrics.pulled(report, seconds) });
  const server = await startServer({ ...security, host, port: options.port, services: [service, blocks] });
  cleanups.push(() => server.close(0));
  const name = options.advertiseHost ?? host;
  const address = `${name.includes(':') ? `[${name}]` : name}:${server.port}`;
  const attendance = new Attendance({ client, reducerId, address, sums, options, logger });

  const finish = async (): Promise<void> => {
    ending.abort();
    await sums.checkpointAll();
    attendance.leave();
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  let finished: Promise<void> | undefined;
  const ended = attendance.run().then(async (failure) => {
    await (finished ??= finish());
    return failure;
  });
  const running = { reducerId, address, ended, stop: () => (finished ??= finish()) };
  if (options.metricsPort === undefined) return running;
  const endpoint = await serveMetrics(metrics.registry, options.metricsPort, host);
  cleanups.push(() => endpoint.close());
  return { ...running, metricsPort: endpoint.port };
}

function logNote(logger: Logger, { error, ...fields }: CheckpointNote): void {
  const { jobId, what, bytes, seconds } = fields;
  const amount = `${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(2)} s`;
  if (error) logger.error({ ...fields, code: error.code }, `checkpoint of job ${jobId} was ${what}: ${error.message}`);
  else logger.info(fields, `checkpoint of job ${jobId} is ${what}: ${amount}`);
}
