import { status } from '@grpc/grpc-js';
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { HUNG_UP, OK, type LoadConnection } from './connection.ts';

const headers = {
  [constants.HTTP2_HEADER_METHOD]: 'POST',
  [constants.HTTP2_HEADER_PATH]: '/inference.GRPCInferenceService/ModelInfer',
  [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
  [constants.HTTP2_HEADER_TE]: 'trailers',
};

/** Receive window of a connection and of a call, as clients for large answers set it; 65,535 bytes would measure round trips. */
const WINDOW_BYTES = 8 * 2 ** 20;

/** Of what waits to be sent on a connection; by default 10, of which calls with large messages are refused. As the client library has it: no limit. */
const SESSION_MEGABYTES = Number.MAX_SAFE_INTEGER;

/** Calls at a time that share a connection, as Triton's clients do by default. */
const CALLS_PER_CHANNEL = 6;

/** A connection; it is made when there is something to send, again after it was lost. */
class GrpcChannel {
  readonly #port: number;
  #session: ClientHttp2Session | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  request(): ClientHttp2Stream {
    if (!this.#session || this.#session.closed || this.#session.destroyed) this.#session = this.#connect();
    return this.#session.request(headers);
  }

  close(): void {
    this.#session?.destroy();
  }

  #connect(): ClientHttp2Session {
    const session = connect(`http://127.0.0.1:${this.#port}`, {
      settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
      maxSessionMemory: SESSION_MEGABYTES,
    });
    session.on('connect', () => session.setLocalWindowSize(WINDOW_BYTES));
    const forget = (): void => {
      if (this.#session === session) this.#session = null;
    };
    // Of a session that fails each call is told.
    session.on('error', forget);
    session.on('goaway', forget);
    session.on('close', forget);
    return session;
  }
}

/**
 * Makes clients of a port that share connections.
 *
 * @param port  Of the server, on this machine.
 * @returns  A function that makes one client more.
 */
export function grpcConnections(port: number): () => LoadConnection {
  let [channel, clients] = [new GrpcChannel(port), 0];
  return () => {
    if (clients > 0 && clients % CALLS_PER_CHANNEL === 0) channel = new GrpcChannel(port);
    clients += 1;
    return new GrpcConnection(channel);
  };
}

/**
 * A client that makes one gRPC call at a time: an HTTP/2 request whose message follows five bytes, and whose status is in the trailers (PROTOCOL-HTTP2.md of
 * grpc/grpc). On two processors a client library would take its share of the figures; this costs the generator about half of that.
 */
class GrpcConnection implements LoadConnection {
  readonly #channel: GrpcChannel;
  #stream: ClientHttp2Stream | null = null;

  constructor(channel: GrpcChannel) {
    this.#channel = channel;
  }

  send(body: Buffer): Promise<string> {
    return new Promise((resolve) => {
      const stream = this.#channel.request();
      this.#stream = stream;
      let outcome = 'closed by the server';
      const read = (fields: Record<string, unknown>): void => {
        const code = fields['grpc-status'];
        if (code !== undefined) outcome = Number(code) === 0 ? OK : status[Number(code)];
      };
      stream.on('response', read); // an answer without a message has its status here
      stream.on('trailers', read);
      stream.on('error', (error: NodeJS.ErrnoException) => {
        outcome = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? error.code ?? error.message;
      });
      stream.on('close', () => resolve(this.#stream === null ? HUNG_UP : outcome));
      stream.resume();
      stream.end(body);
    });
  }

  hangUp(): void {
    const stream = this.#stream;
    this.#stream = null;
    stream?.close(constants.NGHTTP2_CANCEL);
  }

  close(): void {
    this.#channel.close();
  }
}
