import { SublaceError } from '@sublace/errors';
import type { Block } from '@sublace/partials';
import { isPhase, type LeaseRef } from '@sublace/scheduling';
import { encodeBlock } from './block-codec.ts';
import { services } from './definitions.ts';
import type { LeaseRef__Output } from './generated/sublace/v1/LeaseRef.ts';
import type { PullBlocksRequest__Output } from './generated/sublace/v1/PullBlocksRequest.ts';
import { implement, type Service } from './server.ts';

/**
 * A Blocks service over blocks held in memory.
 *
 * @param blockOf  Finds a block for the holder of a lease; throws a SublaceError when there is none, or when the lease is not current.
 * @returns  The service.
 */
export function blocksService(blockOf: (lease: LeaseRef, name: string) => Block | Promise<Block>): Service {
  return implement(services.Blocks.service, {
    async *pullBlocks(request: PullBlocksRequest__Output) {
      const lease = leaseRefOf(request.lease);
      // Each block is looked up when its turn comes: the lease may have been lost since the call began.
      for (const name of request.names) yield* encodeBlock(await blockOf(lease, name));
    },
  });
}

/**
 * The lease that a message names.
 *
 * @param message  From the wire.
 * @returns  The reference.
 * @throws SublaceError INVALID_ARGUMENT when it is missing or names no phase.
 */
export function leaseRefOf(message: LeaseRef__Output | null): LeaseRef {
  if (!message || !isPhase(message.phase)) {
    throw new SublaceError('INVALID_ARGUMENT', `lease: expected a job, a phase and a token, got ${JSON.stringify(message)}`);
  }
  return { jobId: message.jobId, phase: message.phase, shard: message.shard, leaseToken: message.leaseToken };
}
