import { credentials, type ChannelCredentials, type ChannelOptions, Metadata } from '@grpc/grpc-js';

/** Largest payload of one BlockChunk. */
export const CHUNK_BYTES = 1024 * 1024;

const MESSAGE_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Options of every channel and server. Messages are small or chunked, so a larger one is a mistake or an attack; pings find a peer that
 * vanished without closing its connection.
 */
export const CHANNEL_OPTIONS: ChannelOptions = {
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
  // Retrying is decided by the caller, who knows what is idempotent; grpc's own would keep copies of bulk messages.
  'grpc.enable_retries': 0,
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.max_reconnect_backoff_ms': 2_000,
  'grpc.initial_reconnect_backoff_ms': 100,
};

/** Options of a channel that receives blocks: a receive window of 16 MiB, and a connection of its own, so that control calls never queue. */
export const BULK_CHANNEL_OPTIONS: ChannelOptions = {
  ...CHANNEL_OPTIONS,
  'grpc-node.flow_control_window': 16 * 1024 * 1024,
  'grpc.use_local_subchannel_pool': 1,
};

/** How a client connects. */
export interface ConnectOptions {
  /** Shared token, sent as `authorization: Bearer <token>`; needed when the peer is not on loopback. */
  token?: string | undefined;
  /** TLS credentials; plaintext when left out. */
  credentials?: ChannelCredentials | undefined;
  /** Deadline of an ordinary call in milliseconds, 10,000 when left out. */
  timeoutMs?: number | undefined;
}

/**
 * Channel credentials of a connection.
 *
 * @param options  How to connect.
 * @returns  The credentials given, else plaintext.
 */
export function channelCredentials(options: ConnectOptions): ChannelCredentials {
  return options.credentials ?? credentials.createInsecure();
}

/**
 * Metadata of every call of a connection.
 *
 * @param options  How to connect.
 * @returns  The authorisation header, if there is a token.
 */
export function callMetadata(options: ConnectOptions): Metadata {
  const metadata = new Metadata();
  if (options.token !== undefined) metadata.set('authorization', `Bearer ${options.token}`);
  return metadata;
}

/**
 * Whether an address can be reached from this machine only.
 *
 * @param host  Host name or address, without port.
 * @returns  True for localhost, 127.0.0.0/8 and ::1.
 */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
