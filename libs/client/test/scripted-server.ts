import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it arrived. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What to answer. */
export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Bytes as they are; anything else as JSON. */
  readonly body?: unknown;
}

/** What to do with a request: answer it, or leave it without an answer. */
export type Script = (request: ReceivedRequest) => ScriptedAnswer | 'never';

/** A real HTTP server that answers as a test says and keeps what it was asked. */
export class ScriptedServer {
  readonly received: ReceivedRequest[] = [];
  /** Requests whose connection was closed before they had an answer. */
  abandoned = 0;
  script: Script = () => ({ body: {} });
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * Listens on a free port.
   *
   * @returns  The server, for the caller to close.
   */
  static async start(): Promise<ScriptedServer> {
    const server = createServer();
    const scripted = new ScriptedServer(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('close', () => (scripted.abandoned += response.writableEnded ? 0 : 1));
      request.on('end', () => {
        const { method = '', url: path = '', headers } = request;
        const received = { method, path, headers, body: Buffer.concat(chunks) };
        scripted.received.push(received);
        const answer = scripted.script(received);
        if (answer === 'never') return;
        const body = answer.body instanceof Uint8Array ? answer.body : JSON.stringify(answer.body ?? {});
        response.writeHead(answer.status ?? 200, answer.headers).end(body);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return scripted;
  }

  /** `http://127.0.0.1:PORT`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The last request. */
  get last(): ReceivedRequest {
    return this.received.at(-1)!;
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#server.listening) await once(this.#server, 'close');
  }
}
