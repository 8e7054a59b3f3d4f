/** The sending side of the transport benchmark: blocks by gRPC, and the same bytes by a plain socket. Talks to its parent by messages. */
import { createServer } from 'node:net';
import { blocksService, startServer } from '@sublace/protocol';
import { BLOCK_ELEMENTS, SOCKET_CHUNK_BYTES } from './transport-sizes.ts';

// Not zeros, and not the same page again and again.
const held = Array.from({ length: 8 }, (_, k) => Float32Array.from({ length: BLOCK_ELEMENTS }, (__, i) => i * k));

const blocks = await startServer({
  services: [blocksService((_, name) => ({ name, shape: [BLOCK_ELEMENTS], data: held[Number(name.split('/')[1]) % held.length] }))],
});

/** Sends as many bytes as the first 8 bytes of the request say, chunk by chunk with back-pressure, then ends. */
const plain = createServer((socket) => {
  socket.once('data', (request) => {
    let left = Number(request.readBigUInt64LE());
    let chunk = 0;
    const send = (): void => {
      while (left > 0) {
        const data = held[chunk++ % held.length];
        const bytes = new Uint8Array(data.buffer, 0, Math.min(left, SOCKET_CHUNK_BYTES));
        left -= bytes.length;
        if (left <= 0) socket.end(bytes);
        else if (!socket.write(bytes)) {
          socket.once('drain', send);
          return;
        }
      }
    };
    send();
  });
});
plain.listen(0, '127.0.0.1', () => {
  process.send?.({ grpcPort: blocks.port, socketPort: (plain.address() as { port: number }).port });
});

process.on('disconnect', () => process.exit(0));
process.on('message', () => process.send?.(process.cpuUsage()));
