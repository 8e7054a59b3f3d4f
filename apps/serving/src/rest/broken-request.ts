import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** What is told about a connection whose bytes are no request, by the code of the parser's error. */
const answers: Readonly<Record<string, [status: number, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'expected the request sooner, got a part of it'],
  HPE_HEADER_OVERFLOW: [431, 'expected smaller headers'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'expected smaller chunk extensions'],
};

/**
 * Answers a connection whose bytes are no HTTP request, or came too slowly, and ends it.
 *
 * @param error  The parser's.
 * @param socket  Its connection.
 */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) {
    socket.destroy();
    return;
  }
  const [status, message] = answers[error.code ?? ''] ?? [400, 'expected an HTTP/1.1 request, got something else'];
  const body = JSON.stringify({ error: message });
  if (socket.writable) {
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ];
    // Destroyed once written: a peer that reads nothing must not keep the connection.
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  }
  socket.destroySoon();
}
