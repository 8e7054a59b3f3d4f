import { setTimeout as sleep } from 'node:timers/promises';
import { SublaceError } from '@sublace/errors';
import { freeBlock, type Block } from '@sublace/partials';
import type { WorkerClient } from '@sublace/protocol';
import type { LeaseRef } from '@sublace/scheduling';
import type { HeldLease } from './held-lease.ts';
import type { RunnerResult } from './task-runner.ts';

/** Offers of the same shard before it is given up. */
const OFFERS_MAX = 5;
const PAUSE_MS = 300;

/** Computed shards that wait for the coordinator to pull them; it decides when, this side only holds the blocks. */
export class ShardOffers {
  readonly #blocks = new Map<number, Map<string, Block>>();
  readonly #client: WorkerClient;

  /**
   * @param client  Connection to the coordinator.
   */
  constructor(client: WorkerClient) {
    this.#client = client;
  }

  /**
   * A block of an offered shard.
   *
   * @param lease  Lease that the shard was computed under.
   * @param name  Name of the block.
   * @returns  The block.
   * @throws SublaceError NOT_FOUND when the shard is no longer offered.
   */
  block({ leaseToken }: LeaseRef, name: string): Block {
    const block = this.#blocks.get(leaseToken)?.get(name);
    if (!block) throw new SublaceError('NOT_FOUND', `block ${name}: expected one that is offered under token ${leaseToken}, got none`);
    return block;
  }

  /**
   * Offers a shard until it is committed.
   *
   * @param held  Its lease, renewed meanwhile by its holder.
   * @param blocksAddress  Where the coordinator finds this worker.
   * @param result  What was computed.
   * @param computeSeconds  How long that took.
   * @throws SublaceError FENCED or NOT_FOUND when the result is no longer wanted, another one when the coordinator could not take it.
   */
  async offer(held: HeldLease, blocksAddress: string, { summary, blocks }: RunnerResult, computeSeconds: number): Promise<void> {
    const { leaseToken } = held.ref;
    this.#blocks.set(leaseToken, new Map(blocks.map((block) => [block.name, block])));
    try {
      for (let offer = 1; ; offer++) {
        try {
          const names = blocks.map((block) => block.name);
          // Taken back with the lease: an offer may wait for reducers that are missing, and must not keep this worker from other jobs.
          await this.#client.offerTiles(held.ref, { blocksAddress, names, summary, computeSeconds }, held.lost);
          return;
        } catch (error) {
          if (offer === OFFERS_MAX || !SublaceError.from(error).isRetryable || held.lost.aborted) throw error;
          await sleep(PAUSE_MS * offer);
        }
      }
    } finally {
      this.#blocks.delete(leaseToken);
      // The inputs of the next task come before the garbage collector would, and may be as large.
      for (const block of blocks) freeBlock(block);
    }
  }
}
