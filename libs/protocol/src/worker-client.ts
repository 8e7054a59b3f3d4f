import type { ErrorCode } from '@sublace/errors';
import type { JsonObject, LeaseRef } from '@sublace/scheduling';
import { leaseRefOf } from './blocks-service.ts';
import { callMetadata, channelCredentials, channelOptions, CHANNEL_OPTIONS, type ConnectOptions } from './channel.ts';
import { services } from './definitions.ts';
import { failureOf } from './connection-failure.ts';
import { unaryCaller } from './unary.ts';

/** A leased shard with everything that the worker needs to know. */
export interface ClaimedTask {
  lease: LeaseRef;
  attempt: number;
  leaseDurationMs: number;
  spec: JsonObject;
  /** Summary of the plan task; absent in phase plan. */
  plan?: JsonObject;
  /** Summary of the select task; absent before it is done. */
  selection?: JsonObject;
  /** Blocks to pull first, and from where: HOST:PORT, or undefined for the coordinator itself. */
  inputs: TaskInputs[];
  /** Phase finalise: an empty folder to write the artifact into. */
  staging?: string;
  /** Phase finalise: the reducers that hold the tiles, by slot; empty when the coordinator holds them itself. */
  reducers: string[];
  /** W3C trace context of the lease; empty where tracing is off. */
  traceparent: string;
}

/** Blocks of one process that a task needs. */
export interface TaskInputs {
  address?: string;
  names: string[];
}

/** A computed shard that waits to be pulled. */
export interface OfferedResult {
  /** Where its blocks are: HOST:PORT. */
  blocksAddress: string;
  names: string[];
  summary: JsonObject;
  /** What it took to compute. */
  computeSeconds: number;
}

/** What a worker asks of a coordinator. Every method throws SublaceErrors. */
export interface WorkerClient {
  /** Long poll; undefined when there was no work within waitMs. */
  claimShard(workerId: string, waitMs: number, signal?: AbortSignal): Promise<ClaimedTask | undefined>;
  renewLease(lease: LeaseRef, progress: { done: number; total: number }): Promise<void>;
  /** Resolves when everything is pulled and committed; the signal takes the offer back. */
  offerTiles(lease: LeaseRef, shard: OfferedResult, signal?: AbortSignal): Promise<void>;
  failShard(lease: LeaseRef, failure: { code: ErrorCode; message: string; retryable: boolean }): Promise<void>;
  releaseShard(lease: LeaseRef): Promise<void>;
  /** Presence: open until the connection breaks or the signal aborts; `onAccepted` when the coordinator has seen it. */
  attend(workerId: string, onAccepted: () => void, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Slack beyond the long poll itself. */
const CLAIM_SLACK_MS = 10_000;

/** Time for the coordinator to pull a whole shard. */
const OFFER_TIMEOUT_MS = 30 * 60_000;

const ATTEND_TIMEOUT_MS = 7 * 24 * 3_600_000;

/**
 * Connects a worker to a coordinator.
 *
 * @param address  HOST:PORT, or any target that gRPC resolves.
 * @param options  Token, TLS, deadline.
 * @returns  The client; the caller closes it.
 */
export function createWorkerClient(address: string, options: ConnectOptions = {}): WorkerClient {
  const client = new services.Coordinator(address, channelCredentials(options, address), channelOptions(CHANNEL_OPTIONS, options, address));
  const call = unaryCaller(client, options);
  return {
    async claimShard(workerId, waitMs, signal) {
      const { task } = await call('claimShard', { workerId, waitMs }, { timeoutMs: waitMs + CLAIM_SLACK_MS, signal });
      if (!task) return undefined;
      const { lease, specJson, planJson, selectionJson, staging, attempt, leaseDurationMs, inputs, reducers, traceparent } = task;
      return {
        lease: leaseRefOf(lease),
        attempt,
        leaseDurationMs,
        inputs: inputs.map(({ address, names }) => (address === '' ? { names } : { address, names })),
        reducers,
        traceparent,
        spec: JSON.parse(specJson) as JsonObject,
        ...(planJson === '' ? {} : { plan: JSON.parse(planJson) as JsonObject }),
        ...(selectionJson === '' ? {} : { selection: JSON.parse(selectionJson) as JsonObject }),
        ...(staging === '' ? {} : { staging }),
      };
    },
    async renewLease(lease, { done, total }) {
      // A runner that counts wrongly must not lose its lease for that.
      await call('renewLease', { lease, done: amountOf(done), total: amountOf(total) });
    },
    async offerTiles(lease, { summary, ...shard }, signal) {
      await call('offerTiles', { lease, ...shard, summaryJson: JSON.stringify(summary) }, { timeoutMs: OFFER_TIMEOUT_MS, signal });
    },
    async failShard(lease, failure) {
      await call('failShard', { lease, ...failure });
    },
    async releaseShard(lease) {
      await call('releaseShard', { lease });
    },
    async attend(workerId, onAccepted, signal) {
      const stream = client.attend({ workerId }, callMetadata(options), { deadline: Date.now() + ATTEND_TIMEOUT_MS });
      const cancel = () => stream.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      try {
        for await (const _accepted of stream) onAccepted();
      } catch (error) {
        if (!signal.aborted) throw await failureOf(client, options, error);
      } finally {
        signal.removeEventListener('abort', cancel);
        stream.cancel();
      }
    },
    close: () => client.close(),
  };
}

function amountOf(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}
