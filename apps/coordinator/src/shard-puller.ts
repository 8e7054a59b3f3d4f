import { SublaceError } from '@sublace/errors';
import type { JsonObject, LeaseRef } from '@sublace/scheduling';
import { createBlocksClient, type BlocksClient, type ConnectOptions } from '@sublace/protocol';
import type { JobResults } from './job-results.ts';

/** Pulls of the same shard before a damaged block is given up. */
const PULLS_MAX = 3;

/** A shard whose blocks wait at a worker. */
export interface OfferedShard {
  lease: LeaseRef;
  blocksAddress: string;
  names: string[];
  selection: JsonObject | undefined;
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
   * @param results  Where they go.
   * @param signal  Gives up.
   * @returns  Counts and times.
   * @throws UnusableShard when a block cannot be summed; other SublaceErrors when the blocks could not be brought here.
   */
  async pull(offer: OfferedShard, results: JobResults, signal: AbortSignal): Promise<PullReport> {
    const report: PullReport = { pulledCount: 0, pulledBytes: 0, reduceSeconds: 0 };
    for (let pull = 1; ; pull++) {
      const missing = orUnusable(() => results.missing(offer.lease.phase, offer.lease.shard, offer.names));
      if (missing.length === 0) return report;
      try {
        await this.#pullOnce(offer, missing, results, signal, report);
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

  async #pullOnce(offer: OfferedShard, names: string[], results: JobResults, signal: AbortSignal, report: PullReport): Promise<void> {
    const { lease, blocksAddress, selection } = offer;
    const client = this.#clients.get(blocksAddress) ?? createBlocksClient(blocksAddress, this.#connection);
    this.#clients.set(blocksAddress, client);
    try {
      for await (const block of client.pullBlocks(lease, names, { signal })) {
        const startMs = performance.now();
        orUnusable(() => results.commit(lease.phase, lease.shard, block, selection));
        report.reduceSeconds += (performance.now() - startMs) / 1000;
        report.pulledCount++;
        report.pulledBytes += block.data.byteLength;
      }
    } catch (error) {
      // The worker may be gone for good: the next one at this address gets a fresh connection.
      if (SublaceError.from(error).code === 'UNAVAILABLE') {
        this.#clients.delete(blocksAddress);
        client.close();
      }
      throw error;
    }
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
