/** The process that makes load: orders in, windows out. Its own processor time is part of what it reports. */
import { generateLoad, type LoadOrder } from './generator.ts';

process.on('message', (order: LoadOrder) => {
  // Structured clone has made plain byte arrays of the buffers.
  const bodies = order.target.bodies.map((body) => Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  void generateLoad({ ...order, target: { ...order.target, bodies } }).then((window) => process.send?.(window));
});
process.on('disconnect', () => process.exit(0));
