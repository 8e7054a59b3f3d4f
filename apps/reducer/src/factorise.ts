import { SublaceError } from '@sublace/errors';
import type { CallContext } from '@sublace/protocol';
import type { ReducerParts } from './reducer-service.ts';

/**
 * This reducer's part of a Cholesky factorisation of the sums.
 *
 * @param _parts  What the service works with.
 * @param request  What to factorise.
 * @param request.lease  The finalise lease.
 * @param _context  Of the call.
 * @throws SublaceError UNAVAILABLE: reducers of this version only sum.
 */
export async function* factorise(
  _parts: ReducerParts,
  { lease }: { lease: { jobId: string } | null },
  _context: CallContext,
): AsyncGenerator<never> {
  throw new SublaceError('UNAVAILABLE', `job ${lease?.jobId}: expected a reducer that factorises, this one only sums`);
}
