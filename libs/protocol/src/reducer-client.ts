import { isErrorCode, type ErrorCode } from '@sublace/errors';
import type { LeaseRef } from '@sublace/scheduling';
import { channelCredentials, channelOptions, CHANNEL_OPTIONS, type ConnectOptions } from './channel.ts';
import { services } from './definitions.ts';
import { unaryCaller } from './unary.ts';

/** One of the places among which tiles are dealt out, and the mark of its being given away. */
export interface ReducerSlot {
  slot: number;
  slotCount: number;
  assignment: string;
}

/** A shard for a reducer to pull its tiles of. */
export interface ShardToReduce {
  lease: LeaseRef;
  /** The worker's Blocks service: HOST:PORT. */
  blocksAddress: string;
  /** All blocks of the shard. */
  names: string[];
  maxDiagonal: number;
  selectionDigest: string;
}

/** What a reducer did with a shard. */
export interface ReducedShard {
  pulledCount: number;
  pulledBytes: number;
  reduceSeconds: number;
  /** Why no other attempt can mend it, when none can. */
  unusable?: { code: ErrorCode; message: string };
}

/** What the coordinator asks of a reducer. Every method throws SublaceErrors. */
export interface ReducerClient {
  /** Whether it lives. */
  ping(timeoutMs: number): Promise<{ heldBytes: number; residentBytes: number }>;
  /** Opens a job, from its checkpoint where there is one: shards that are whole there, and the tiles that are its own, as far as it has seen any. */
  openJob(jobId: string, slot: ReducerSlot, shardCount: number, signal: AbortSignal): Promise<{ shards: number[]; names: string[] }>;
  /** Resolves when all of its tiles of the shard are committed. */
  reduceShard(shard: ShardToReduce, signal: AbortSignal): Promise<ReducedShard>;
  /** Resolves to the bytes that were written. */
  writeCheckpoint(jobId: string): Promise<number>;
  closeJob(jobId: string): Promise<void>;
  close(): void;
}

/** Time to read a checkpoint, or to write one. */
const CHECKPOINT_TIMEOUT_MS = 30 * 60_000;

/** Time to pull the tiles of one shard; a reducer that hangs is found by pings. */
const REDUCE_TIMEOUT_MS = 30 * 60_000;

/**
 * Connects the coordinator to a reducer.
 *
 * @param address  HOST:PORT.
 * @param options  Token, TLS, deadline.
 * @returns  The client; the caller closes it.
 */
export function createReducerClient(address: string, options: ConnectOptions = {}): ReducerClient {
  const client = new services.Reducer(address, channelCredentials(options, address), channelOptions(CHANNEL_OPTIONS, options, address));
  const call = unaryCaller(client, options);
  return {
    ping: async (timeoutMs) => call('ping', {}, { timeoutMs }),
    async openJob(jobId, slot, shardCount, signal) {
      return call('openJob', { jobId, slot, shardCount }, { timeoutMs: CHECKPOINT_TIMEOUT_MS, signal });
    },
    async reduceShard(shard, signal) {
      const { unusable, ...report } = await call('reduceShard', shard, { timeoutMs: REDUCE_TIMEOUT_MS, signal });
      if (!unusable) return report;
      const { code, message } = unusable;
      return { ...report, unusable: { code: isErrorCode(code) ? code : 'INTERNAL', message } };
    },
    async writeCheckpoint(jobId) {
      const { bytes } = await call('writeCheckpoint', { jobId }, { timeoutMs: CHECKPOINT_TIMEOUT_MS });
      return bytes;
    },
    async closeJob(jobId) {
      await call('closeJob', { jobId });
    },
    close: () => client.close(),
  };
}
