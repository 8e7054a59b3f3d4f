import { createServer, type Server as NetServer, type Socket } from 'node:net';

/** Which connections are taken. */
export interface ConnectionLimits {
  /** Most at one time; more are closed at once. */
  readonly connectionsMax: number;
}

/** Takes TCP connections for a gRPC server, whose own listener knows no limit. */
export interface ConnectionListener {
  /** Starts to listen; resolves to the port. */
  listen(host: string, port: number): Promise<number>;
  /** Takes no more connections. */
  close(): void;
  /** Ends those that are there. */
  destroyConnections(): void;
}

/** How long a connection may be silent before the kernel asks whether the other end is there, milliseconds. */
const tcpKeepAliveMs = 30_000;

/**
 * A listener with a limit.
 *
 * @param limits  See there.
 * @param take  Is given each connection.
 * @returns  The listener, not yet listening.
 */
export function connectionListener({ connectionsMax }: ConnectionLimits, take: (socket: Socket) => void): ConnectionListener {
  const sockets = new Set<Socket>();
  const listener: NetServer = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: tcpKeepAliveMs }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined); // its session is told by 'close'
    take(socket);
  });
  listener.maxConnections = connectionsMax;
  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        listener.once('error', reject);
        listener.listen({ host, port }, () => {
          listener.off('error', reject);
          listener.on('error', () => undefined); // accept failures, such as too many open files: the next one may succeed
          resolve((listener.address() as { port: number }).port);
        });
      }),
    close: () => void listener.close(),
    destroyConnections: () => sockets.forEach((socket) => socket.destroy()),
  };
}
