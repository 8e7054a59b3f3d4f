import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { openObjectStore } from '@sublace/artifact-store';
import type { SublaceError } from '@sublace/errors';
import { blocksService, createReducerAttendance, startServer } from '@sublace/protocol';
import { ShardPuller, type CheckpointNote, type PullReport } from '@sublace/reduction';
import { createLogger, serveMetrics, startTracing, type Logger } from '@sublace/telemetry';
import { Attendance } from './attendance.ts';
import { Factorisations, type FactoriseNote } from './factorise/factorisations.ts';
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
  const factorisations = new Factorisations({
    slot: () => sums.slot,
    tileOf: (jobId, row, column) => sums.of(jobId).input(`ggn/${row}/${column}`).data as Float64Array,
    checkLease: (lease) => leases.check(lease),
    security,
    onNote: (note) => logFactorisation(logger, note),
  });
  cleanups.push(() => factorisations.stop());
  const blocks = blocksService(async (lease, name) => {
    if (name.startsWith('factor/')) return factorisations.block(lease, name);
    await leases.check(lease);
    return sums.of(lease.jobId).input(name);
  });
  const onPulled = (report: PullReport, seconds: number): void => metrics.pulled(report, seconds);
  const service = reducerService({ sums, factorisations, puller, ending: ending.signal, onPulled });
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

function logFactorisation(logger: Logger, { error, ...fields }: FactoriseNote): void {
  const { jobId, what, tileCount, seconds } = fields;
  const amount = what === 'begins' ? '' : `: ${tileCount} tiles after ${seconds.toFixed(2)} s`;
  if (error && error.code !== 'CANCELLED')
    logger.warn({ ...fields, code: error.code }, `job ${jobId}: factorisation ${what}: ${error.message}`);
  else logger.info(fields, `job ${jobId}: factorisation ${what}${amount}`);
}

function logNote(logger: Logger, { error, ...fields }: CheckpointNote): void {
  const { jobId, what, bytes, seconds } = fields;
  const amount = `${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(2)} s`;
  if (error) logger.error({ ...fields, code: error.code }, `checkpoint of job ${jobId} was ${what}: ${error.message}`);
  else logger.info(fields, `checkpoint of job ${jobId} is ${what}: ${amount}`);
}
