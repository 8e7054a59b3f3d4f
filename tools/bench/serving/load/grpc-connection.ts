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

/**
 * gRPC on a connection of its own, one call at a time: a call is an HTTP/2 request whose message follows five bytes, and whose status is in the trailers
 * (PROTOCOL-HTTP2.md of grpc/grpc). On two processors a client library would take its share of the figures; this costs the generator a third of that.
 */
export class GrpcConnection implements LoadConnection {
  readonly #port: number;
  #session: ClientHttp2Session | null = null;
  #stream: ClientHttp2Stream | null = null;

  /**
   * @param port  Of the server, on this machine.
   */
  constructor(port: number) {
    this.#port = port;
  }

  send(body: Buffer): Promise<string> {
    return new Promise((resolve) => {
      if (!this.#session || this.#session.closed || this.#session.destroyed) this.#session = this.#connect();
      const stream = this.#session.request(headers);
      this.#stream = stream;
      let outcome = 'closed by the server';
      const read = (fields: Record<string, unknown>): void => {
        const code = fields['grpc-status'];
        if (code !== undefined) outcome = code === '0' || code === 0 ? OK : status[Number(code)];
      };
      stream.on('response', read); // an answer without a message has its status here
      stream.on('trailers', read);
      stream.on(
        'error',
        (error: NodeJS.ErrnoException) =>
          (outcome = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? error.code ?? error.message),
      );
      stream.on('close', () => resolve(stream.rstCode === constants.NGHTTP2_CANCEL && this.#stream === null ? HUNG_UP : outcome));
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
    this.#session?.destroy();
  }

  #connect(): ClientHttp2Session {
    const session = connect(`http://127.0.0.1:${this.#port}`, { settings: { initialWindowSize: WINDOW_BYTES, enablePush: false } });
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
