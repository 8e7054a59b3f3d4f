import { SublaceError } from '@sublace/errors';
import type { Block } from '@sublace/partials';
import type { LeaseRef } from '@sublace/scheduling';
import { BlockAssembler } from './block-codec.ts';
import { BULK_CHANNEL_OPTIONS, callMetadata, channelCredentials, channelOptions, type ConnectOptions } from './channel.ts';
import { services } from './definitions.ts';
import type { BlockChunk__Output } from './generated/sublace/v1/BlockChunk.ts';
import { failureOf } from './connection-failure.ts';

/** Time for one PullBlocks call: long, since it may move gigabytes; a peer that is gone is found by pings, not by this. */
const PULL_TIMEOUT_MS = 30 * 60_000;

/** Receives blocks from a worker or the coordinator. */
export interface BlocksClient {
  /** The named blocks in order, each checked. Throws SublaceErrors; what came before stays valid. */
  pullBlocks(lease: LeaseRef, names: string[], options?: { signal?: AbortSignal | undefined }): AsyncIterable<Block>;
  close(): void;
}

/**
 * Connects to a Blocks service with a wide receive window, on a connection of its own.
 *
 * @param address  HOST:PORT.
 * @param options  Token, TLS.
 * @returns  The client; the caller closes it.
 */
export function createBlocksClient(address: string, options: ConnectOptions = {}): BlocksClient {
  const client = new services.Blocks(address, channelCredentials(options, address), channelOptions(BULK_CHANNEL_OPTIONS, options, address));
  return {
    async *pullBlocks(lease, names, { signal } = {}) {
      if (names.length === 0) return;
      const stream = client.pullBlocks({ lease, names }, callMetadata(options), { deadline: Date.now() + PULL_TIMEOUT_MS });
      const cancel = () => stream.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
      const assembler = new BlockAssembler();
      let receivedCount = 0;
      try {
        for await (const chunk of stream) {
          const block = assembler.add(chunk as BlockChunk__Output);
          if (!block) continue;
          const expected = names[receivedCount++];
          if (block.name !== expected) {
            throw new SublaceError('CHECKSUM_MISMATCH', `pull from ${address}: expected block ${expected}, got ${block.name}`);
          }
          yield block;
        }
      } catch (error) {
        throw await failureOf(client, options, error);
      } finally {
        signal?.removeEventListener('abort', cancel);
        stream.cancel();
      }
      assembler.end();
      if (receivedCount < names.length) {
        throw new SublaceError('UNAVAILABLE', `pull from ${address}: expected ${names.length} blocks, got ${receivedCount}`);
      }
    },
    close: () => client.close(),
  };
}
