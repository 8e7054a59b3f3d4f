import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { credentials, Metadata, ServerCredentials, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import { context, propagation, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { SublaceError } from '@sublace/errors';
import type { Security, Tls } from './security.ts';
import { PROTOCOL_VERSION, PROTOCOL_VERSION_KEY } from './version.ts';

/** Largest payload of one BlockChunk: a whole tile of float32, which the receiver then uses where it came. */
export const CHUNK_BYTES = 4 * 1024 * 1024;

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
export interface ConnectOptions extends Security {
  /** Deadline of an ordinary call in milliseconds, 10,000 when left out. */
  timeoutMs?: number | undefined;
}

const PLAINTEXT = credentials.createInsecure();

/** One object per identity and name, or else connections to the same peer would not be shared. */
const ofClients = new WeakMap<Tls, Map<string, ChannelCredentials>>();

/** What stands in the handshake for a server that is called by its number: names only may stand there. */
const UNNAMED = 'unnamed';

/**
 * Channel credentials of a connection.
 *
 * @param security  How to connect.
 * @param address  Where to.
 * @returns  TLS with the certificates given, else plaintext.
 */
export function channelCredentials({ tls }: Security, address: string): ChannelCredentials {
  if (!tls) return PLAINTEXT;
  const number = tls.serverName === undefined ? numberOf(address) : undefined;
  const known = ofClients.get(tls) ?? new Map<string, ChannelCredentials>();
  ofClients.set(tls, known);
  const found = known.get(number ?? '');
  if (found) return found;
  const check =
    number === undefined ? {} : { checkServerIdentity: (_: string, peer: PeerCertificate) => checkServerIdentity(number, peer) };
  const made = credentials.createSsl(tls.ca, tls.key ?? null, tls.cert ?? null, check);
  known.set(number ?? '', made);
  return made;
}

/**
 * Options of a channel beside its credentials.
 *
 * @param options  Options of the kind of channel.
 * @param security  How to connect.
 * @param address  Where to.
 * @returns  The options, with the name to expect in the server's certificate.
 */
export function channelOptions(options: ChannelOptions, { tls }: Security, address: string): ChannelOptions {
  const name = tls?.serverName ?? (tls && numberOf(address) !== undefined ? UNNAMED : undefined);
  return name === undefined ? options : { ...options, 'grpc.ssl_target_name_override': name };
}

/** The IP address in HOST:PORT or a gRPC target; undefined for a name. */
function numberOf(address: string): string | undefined {
  const host = /([^/]+):\d+$/.exec(address)?.[1].replace(/^\[|\]$/g, '') ?? '';
  return isIP(host) === 0 ? undefined : host;
}

/**
 * Credentials of a server.
 *
 * @param security  How to serve.
 * @returns  TLS with the certificate given, else plaintext.
 * @throws SublaceError USAGE when there are authorities but no certificate to show.
 */
export function serverCredentials({ tls }: Security): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  const { ca, cert, key, requireClientCertificate = false } = tls;
  if (!cert || !key) {
    throw new SublaceError(
      'USAGE',
      'TLS of a process that listens: expected a certificate and its key, got none; set --tls-cert and --tls-key',
    );
  }
  return ServerCredentials.createSsl(ca, [{ cert_chain: cert, private_key: key }], requireClientCertificate);
}

/**
 * Metadata of every call of a connection.
 *
 * @param options  How to connect.
 * @returns  The version of the protocol, the authorisation header, if there is a token, and the trace that the call belongs to, if there is one.
 */
export function callMetadata(options: ConnectOptions): Metadata {
  const metadata = new Metadata();
  metadata.set(PROTOCOL_VERSION_KEY, String(PROTOCOL_VERSION));
  if (options.token !== undefined) metadata.set('authorization', `Bearer ${options.token}`);
  propagation.inject(context.active(), metadata, { set: (carrier, key, value) => carrier.set(key, value) });
  return metadata;
}

/**
 * The trace that a call belongs to.
 *
 * @param metadata  Of the call.
 * @returns  The context to answer it in.
 */
export function callTrace(metadata: Metadata): Context {
  return propagation.extract(ROOT_CONTEXT, metadata, {
    get: (carrier, key) => carrier.get(key).map(String)[0],
    keys: (carrier) => Object.keys(carrier.getMap()),
  });
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
