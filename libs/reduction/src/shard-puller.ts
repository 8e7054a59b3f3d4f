import { SublaceError } from '@sublace/errors';
import type { LeaseRef } from '@sublace/scheduling';
import { createBlocksClient, type BlocksClient, type ConnectOptions } from '@sublace/protocol';
import type { JobSums } from './job-sums.ts';
import type { SumBasis } from './sum-basis.ts';

/** Pulls of the same shard before a damaged block is given up. */
const PULLS_MAX = 3;

/** Streams of one shard at a time, on one connection: while one waits for its next block to be found and encoded, the other one's is on its way. */
const STREAMS = 2;

/** A shard whose blocks wait at a worker. */
export interface OfferedShard {
  lease: LeaseRef;
  blocksAddress: string;
  /** The blocks to have: all of the shard, or those that this process sums. */
  names: string[];
  /** What the sums depend on; needed in phase accumulate. */
  basis?: SumBasis | undefined;
}

/** What one pull brought. */
export interface PullReport {
  pulledCount: number;
  pulledBytes: number;
  reduceSeconds: number;
}

/** A shard that no other attempt can mend: what it brings cannot be summed. */
export class UnusableShard extends SublaceError {}

/** Pulls offered blocks and commits each as soon as it is whole, on one connection per worker. */
export class ShardPuller {
  readonly #clients = new Map<string, BlocksClient>();
  readonly #connection: ConnectOptions;

  /**
   * @param connection  How to connect to workers.
   */
  constructor(connection: ConnectOptions) {
    this.#connection = connection;
  }

  /**
   * Pulls what is missing of a shard. What was committed before a failure stays committed, so that the next attempt pulls only the rest.
   *
   * @param offer  Where the blocks are.
   * @param sums  Where they go.
   * @param signal  Gives up.
   * @returns  Counts and times.
   * @throws UnusableShard when a block cannot be summed; other SublaceErrors when the blocks could not be brought here.
   */
  async pull(offer: OfferedShard, sums: JobSums, signal: AbortSignal): Promise<PullReport> {
    const report: PullReport = { pulledCount: 0, pulledBytes: 0, reduceSeconds: 0 };
    for (let pull = 1; ; pull++) {
      const missing = orUnusable(() => sums.missing(offer.lease.phase, offer.lease.shard, offer.names, offer.basis));
      if (missing.length === 0) return report;
      try {
        await this.#pullOnce(offer, missing, sums, signal, report);
      } catch (error) {
        if (error instanceof UnusableShard || SublaceError.from(error).code !== 'CHECKSUM_MISMATCH' || pull === PULLS_MAX) throw error;
      }
    }
  }

  /** Closes every connection. */
  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  async #pullOnce(offer: OfferedShard, names: string[], sums: JobSums, signal: AbortSignal, report: PullReport): Promise<void> {
    const { blocksAddress } = offer;
    const client = this.#clients.get(blocksAddress) ?? createBlocksClient(blocksAddress, this.#connection);
    this.#clients.set(blocksAddress, client);
    // What goes wrong in one stream ends the others: the next attempt pulls what is still missing.
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    let failure: SublaceError | undefined;
    const streams = Array.from({ length: Math.min(STREAMS, names.length) }, async (_, stream) => {
      const own = names.filter((_name, i) => i % STREAMS === stream);
      try {
        await commitAll(client, offer, own, sums, either, report);
      } catch (error) {
        failure ??= SublaceError.from(error);
        failed.abort();
      }
    });
    await Promise.all(streams);
    if (!failure) return;
    // The worker may be gone for good: the next one at this address gets a fresh connection.
    if (failure.code === 'UNAVAILABLE' && this.#clients.get(blocksAddress) === client) {
      this.#clients.delete(blocksAddress);
      client.close();
    }
    throw failure;
  }
}

async function commitAll(
  client: BlocksClient,
  { lease }: OfferedShard,
  names: string[],
  sums: JobSums,
  signal: AbortSignal,
  report: PullReport,
): Promise<void> {
  for await (const block of client.pullBlocks(lease, names, { signal })) {
    const { byteLength } = block.data;
    const startMs = performance.now();
    orUnusable(() => sums.commit(lease.phase, lease.shard, block));
    report.reduceSeconds += (performance.now() - startMs) / 1000;
    report.pulledCount++;
    report.pulledBytes += byteLength;
  }
}

function orUnusable<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    const { code, message } = SublaceError.from(error);
    throw new UnusableShard(code, message, { cause: error });
  }
}
