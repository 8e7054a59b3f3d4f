import type { LeaseRef } from '@sublace/scheduling';
import { callMetadata, channelCredentials, channelOptions, CHANNEL_OPTIONS, type ConnectOptions } from './channel.ts';
import { failureOf } from './connection-failure.ts';
import { services } from './definitions.ts';
import type { ReducerSlot__Output } from './generated/sublace/v1/ReducerSlot.ts';
import type { ReducerSlot } from './reducer-client.ts';
import { unaryCaller } from './unary.ts';

/** Who attends. */
export interface AttendingReducer {
  reducerId: string;
  /** Where it serves: HOST:PORT. */
  address: string;
  /** The slot that it had before. */
  held?: ReducerSlot | undefined;
  /** Jobs that it has sums of. */
  jobIds: string[];
}

/** What a reducer asks of the coordinator. Every method throws SublaceErrors. */
export interface ReducerAttendance {
  /** Presence: open until the connection breaks, the slot is taken away or the signal aborts; `onSlot` when there is a slot. */
  attend(reducer: AttendingReducer, onSlot: (slot: ReducerSlot) => void, signal: AbortSignal): Promise<void>;
  /** Throws FENCED unless the holder of the lease may have this reducer's sums now. */
  checkLease(lease: LeaseRef, reducerId: string): Promise<void>;
  close(): void;
}

const ATTEND_TIMEOUT_MS = 7 * 24 * 3_600_000;

/**
 * Connects a reducer to a coordinator.
 *
 * @param address  HOST:PORT, or any target that gRPC resolves.
 * @param options  Token, TLS, deadline.
 * @returns  The client; the caller closes it.
 */
export function createReducerAttendance(address: string, options: ConnectOptions = {}): ReducerAttendance {
  const client = new services.Coordinator(address, channelCredentials(options, address), channelOptions(CHANNEL_OPTIONS, options, address));
  const call = unaryCaller(client, options);
  return {
    async attend(reducer, onSlot, signal) {
      const stream = client.attendReducer({ ...reducer, held: reducer.held ?? null }, callMetadata(options), {
        deadline: Date.now() + ATTEND_TIMEOUT_MS,
      });
      const cancel = () => stream.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      try {
        for await (const { slot } of stream as AsyncIterable<{ slot: ReducerSlot__Output | null }>) if (slot) onSlot(slot);
      } catch (error) {
        if (!signal.aborted) throw await failureOf(client, options, error);
      } finally {
        signal.removeEventListener('abort', cancel);
        stream.cancel();
      }
    },
    async checkLease(lease, reducerId) {
      await call('checkLease', { lease, reducerId });
    },
    close: () => client.close(),
  };
}
