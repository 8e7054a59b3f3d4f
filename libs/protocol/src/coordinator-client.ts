import type { JobState, JsonObject, Phase } from '@sublace/scheduling';
import { callMetadata, channelCredentials, channelOptions, CHANNEL_OPTIONS, type ConnectOptions } from './channel.ts';
import { services } from './definitions.ts';
import type { LogLine__Output } from './generated/sublace/v1/LogLine.ts';
import type { ProgressEvent__Output } from './generated/sublace/v1/ProgressEvent.ts';
import { fromLogMessage, fromWorkerMessage, type LogLine, type WorkerOverview } from './operations.ts';
import { fromFailureMessage, fromProgressMessage, type JobFailure, type ProgressEvent } from './progress-event.ts';
import { failureOf } from './connection-failure.ts';
import { unaryCaller } from './unary.ts';

/** One line of a list of jobs. */
export interface JobOverview {
  jobId: string;
  state: JobState;
  phase: Phase;
  shardsDone: number;
  shardsTotal: number;
  failure?: JobFailure;
  priority: number;
  submittedAtMs: number;
  /** What it waits for, as one line; empty while shards are being computed. */
  waitsFor: string;
  /** Workers that hold a lease of the job now. */
  workerCount: number;
}

/** What a command line or dashboard asks of a coordinator. Every method throws SublaceErrors. */
export interface CoordinatorClient {
  /** Queues a job; `spec.output` is the absolute path of the folder to publish to; higher priorities (0 by default) go first. Resolves to the job id. */
  submitJob(spec: JsonObject, options?: { priority?: number }): Promise<string>;
  /** Where the job stands now, then every change; ends after the event with state succeeded, failed or cancelled. */
  watchJob(jobId: string, options?: { signal?: AbortSignal }): AsyncIterable<ProgressEvent>;
  /** Ends a job that is not finished. */
  cancelJob(jobId: string, reason?: string): Promise<void>;
  listJobs(): Promise<JobOverview[]>;
  /** What happened to a job, oldest first; with `follow` also what happens from then on, until the job has ended. */
  readLog(jobId: string, options?: { follow?: boolean; signal?: AbortSignal }): AsyncIterable<LogLine>;
  /** Workers and reducers that are attached. */
  listWorkers(): Promise<WorkerOverview[]>;
  close(): void;
}

/** A fit may take days; a watcher whose stream ends early simply watches again. */
const WATCH_TIMEOUT_MS = 7 * 24 * 3_600_000;

/**
 * Connects to a coordinator. The connection is made with the first call, and made again when it broke.
 *
 * @param address  HOST:PORT, or any target that gRPC resolves.
 * @param options  Token, TLS, deadline.
 * @returns  The client; the caller closes it.
 */
export function createCoordinatorClient(address: string, options: ConnectOptions = {}): CoordinatorClient {
  const client = new services.Coordinator(address, channelCredentials(options, address), channelOptions(CHANNEL_OPTIONS, options, address));
  const call = unaryCaller(client, options);
  const explained = (error: unknown): Promise<Error> => failureOf(client, options, error);
  return {
    async submitJob(spec, { priority = 0 } = {}) {
      const response = await call('submitJob', { specJson: JSON.stringify(spec), priority });
      return response.jobId;
    },
    async *watchJob(jobId, { signal } = {}) {
      const stream = client.watchJob({ jobId }, callMetadata(options), { deadline: Date.now() + WATCH_TIMEOUT_MS });
      for await (const message of received(stream, signal, explained)) yield fromProgressMessage(message as ProgressEvent__Output);
    },
    async cancelJob(jobId, reason = 'cancelled on request') {
      await call('cancelJob', { jobId, reason });
    },
    async listJobs() {
      const { jobs } = await call('listJobs', {});
      return jobs.map(({ failure, state, phase, ...rest }) => ({
        ...rest,
        state: state as JobState,
        phase: phase as Phase,
        ...(failure ? { failure: fromFailureMessage(failure) } : {}),
      }));
    },
    async *readLog(jobId, { follow = false, signal } = {}) {
      const stream = client.readLog({ jobId, follow }, callMetadata(options), { deadline: Date.now() + WATCH_TIMEOUT_MS });
      for await (const message of received(stream, signal, explained)) yield fromLogMessage(message as LogLine__Output);
    },
    async listWorkers() {
      const { workers } = await call('listWorkers', {});
      return workers.map(fromWorkerMessage);
    },
    close: () => client.close(),
  };
}

/** The messages of a stream until it ends or the signal aborts; failures as SublaceErrors. */
async function* received(
  stream: AsyncIterable<unknown> & { cancel(): void },
  signal: AbortSignal | undefined,
  explained: (error: unknown) => Promise<Error>,
): AsyncGenerator {
  const cancel = () => stream.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    yield* stream;
  } catch (error) {
    throw await explained(error);
  } finally {
    signal?.removeEventListener('abort', cancel);
    stream.cancel();
  }
}
