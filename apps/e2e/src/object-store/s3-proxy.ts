import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A connection to an S3 server that a test can watch and cut. */
export interface S3Proxy {
  /** http://127.0.0.1:PORT */
  readonly endpoint: string;
  /** Called with `PUT /bucket/key` before a request goes on; it may take its time. */
  before: (line: string) => unknown;
  /** Called when the answer to a request is complete. */
  after: (line: string) => unknown;
  /** Refuses every connection from now on, as a server does that was stopped. */
  cut(): Promise<void>;
}

/**
 * Opens a connection to an S3 server that can be watched and cut.
 *
 * @param target  Endpoint of the server.
 * @returns  The connection; the caller cuts it.
 */
export async function openS3Proxy(target: string): Promise<S3Proxy> {
  const server: Server = createServer((incoming, answer) => {
    const line = `${incoming.method} ${incoming.url?.split('?')[0]}`;
    const forward = async (): Promise<void> => {
      await proxy.before(line);
      // With the headers as they came: the host is a part of the signature.
      const outgoing = request(`${target}${incoming.url}`, { method: incoming.method, headers: incoming.headers }, (response) => {
        answer.writeHead(response.statusCode!, response.headers);
        response.pipe(answer);
        response.once('end', () => proxy.after(line));
      });
      outgoing.once('error', () => answer.destroy());
      incoming.once('error', () => outgoing.destroy());
      incoming.pipe(outgoing);
    };
    void forward();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: S3Proxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    before: () => undefined,
    after: () => undefined,
    async cut() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return proxy;
}
