import { createRandom } from '@sublace/data';
import type { LoadTarget } from '../load/connection.ts';
import { requestBody, type Encoding, type InferenceAsked } from '../load/request-bodies.ts';
import type { ServingProcess } from '../serving-process.ts';

/** Different inputs that requests take in turn. */
const VARIANTS = 16;

/**
 * Requests of one kind, with different inputs.
 *
 * @param server  Who is asked.
 * @param encoding  How.
 * @param asked  What; its values are made here.
 * @returns  A target for load.
 */
export function targetOf(
  server: Pick<ServingProcess, 'httpPort' | 'grpcPort'>,
  encoding: Encoding,
  asked: Omit<InferenceAsked, 'values'>,
): LoadTarget {
  const elements = asked.shape.reduce((product, size) => product * size, 1);
  const variants = elements > 100_000 ? 1 : VARIANTS;
  const bodies = Array.from({ length: variants }, (_, seed) => requestBody(encoding, { ...asked, values: pixels(elements, seed) }));
  return { protocol: encoding === 'grpc' ? 'grpc' : 'rest', port: encoding === 'grpc' ? server.grpcPort : server.httpPort, bodies };
}

/** Like an image of a digit: one pixel in five is not black, a whole number up to 255. */
function pixels(count: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: count }, () => (random.uniform() < 0.2 ? Math.floor(256 * random.uniform()) : 0));
}
