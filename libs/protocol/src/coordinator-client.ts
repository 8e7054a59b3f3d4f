import type { JobState, JsonObject, Phase } from '@sublace/scheduling';
import { callMetadata, channelCredentials, channelOptions, CHANNEL_OPTIONS, type ConnectOptions } from './channel.ts';
import { services } from './definitions.ts';
import type { ProgressEvent__Output } from './generated/sublace/v1/ProgressEvent.ts';
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
  return {
    async submitJob(spec, { priority = 0 } = {}) {
      const response = await call('submitJob', { specJson: JSON.stringify(spec), priority });
      return response.jobId;
    },
    async *watchJob(jobId, { signal } = {}) {
      const stream = client.watchJob({ jobId }, callMetadata(options), { deadline: Date.now() + WATCH_TIMEOUT_MS });
      const cancel = () => stream.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        for await (const message of stream) yield fromProgressMessage(message as ProgressEvent__Output);
      } catch (error) {
        throw await failureOf(client, options, error);
      } finally {
        signal?.removeEventListener('abort', cancel);
        stream.cancel();
      }
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
    close: () => client.close(),
  };
}
