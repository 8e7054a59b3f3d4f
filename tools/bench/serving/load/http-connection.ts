import { connect, type Socket } from 'node:net';
import { HUNG_UP, OK, type LoadConnection } from './connection.ts';

const headEnd = Buffer.from('\r\n\r\n');

/** Who waits for the answer, and what has come of it. */
interface Waiting {
  resolve: (outcome: string) => void;
  head: Buffer;
  /** Bytes of the body that are still to come; -1 before the head is complete. */
  missing: number;
  outcome: string;
  mustClose: boolean;
}

/**
 * HTTP/1.1 with keep-alive on a plain socket, one request at a time, which costs the generator a small part of what `node:http` does. Reads status and
 * Content-Length; bodies are counted and thrown away. Connects when it has something to send, again after the server has closed.
 */
export class HttpConnection implements LoadConnection {
  readonly #port: number;
  #socket: Socket | null = null;
  #waiting: Waiting | null = null;

  /**
   * @param port  Of the server, on this machine.
   */
  constructor(port: number) {
    this.#port = port;
  }

  send(body: Buffer): Promise<string> {
    return new Promise((resolve) => {
      this.#waiting = { resolve, head: Buffer.alloc(0), missing: -1, outcome: '', mustClose: false };
      this.#socket ??= this.#connect();
      this.#socket.write(body);
    });
  }

  hangUp(): void {
    this.#drop();
    this.#end(HUNG_UP);
  }

  close(): void {
    this.#drop();
  }

  #drop(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  #connect(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    let reason = 'closed by the server';
    socket.on('data', (chunk) => {
      if (this.#socket === socket) this.#read(chunk);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (reason = error.code ?? error.message));
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#end(reason);
    });
    return socket;
  }

  #read(chunk: Buffer): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    if (waiting.missing >= 0) waiting.missing -= chunk.length;
    else {
      waiting.head = waiting.head.length === 0 ? chunk : Buffer.concat([waiting.head, chunk]);
      const end = waiting.head.indexOf(headEnd);
      if (end === -1) return;
      const head = waiting.head.toString('latin1', 0, end);
      const length = /\r\ncontent-length: *(\d+)/i.exec(head);
      if (!length) {
        // Nothing that the server does: fastify sends whole bodies.
        this.#drop();
        this.#end('no Content-Length');
        return;
      }
      waiting.outcome = head.startsWith('HTTP/1.1 200') ? OK : `HTTP ${head.slice(9, 12)}`;
      waiting.mustClose = /\r\nconnection: *close/i.test(head);
      waiting.missing = Number(length[1]) - (waiting.head.length - end - headEnd.length);
    }
    if (waiting.missing > 0) return;
    if (waiting.mustClose) this.#drop();
    this.#end(waiting.outcome);
  }

  #end(outcome: string): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(outcome);
  }
}
