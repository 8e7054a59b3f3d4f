import { crc32 } from 'node:zlib';
import { SublaceError } from '@sublace/errors';
import { BLOCK_BYTES_MAX, dtypeOf, elementCount, type Block, type BlockData, type BlockDtype } from '@sublace/partials';
import { CHUNK_BYTES } from './channel.ts';
import type { BlockChunk, BlockChunk__Output } from './generated/sublace/v1/BlockChunk.ts';

/** Far above what Node gives a place in a buffer shared by small ones. */
const IN_PLACE_BYTES_MIN = 64 * 1024;

const ARRAYS = { float32: Float32Array, float64: Float64Array, int32: Int32Array } as const;

/**
 * A block as chunks of at most 4 MiB, in ascending offset; an empty block is one empty chunk. Chunks are views of the block, not copies.
 *
 * @param block  Any block. Borrowed until the last chunk is sent.
 * @param chunkBytes  Largest payload.
 * @yields Messages; the last one carries the checksum of the whole block.
 */
export function* encodeBlock(block: Block, chunkBytes = CHUNK_BYTES): Generator<BlockChunk> {
  const { name, shape, data } = block;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const common = { name, shape, dtype: dtypeOf(data), totalBytes: bytes.length };
  let checksum = 0;
  for (let offset = 0; offset < bytes.length || offset === 0; offset += chunkBytes) {
    const payload = bytes.subarray(offset, offset + chunkBytes);
    checksum = crc32(payload, checksum);
    const isLast = offset + payload.length === bytes.length;
    yield { ...common, offset, bytes: payload, crc32: isLast ? checksum : 0 };
  }
}

/** Puts the chunks of a stream together again, one block after the other, and checks each against its checksum. */
export class BlockAssembler {
  #open: { name: string; shape: number[]; data: BlockData; bytes: Uint8Array; received: number; checksum: number } | undefined;

  /**
   * Takes the next chunk of the stream.
   *
   * @param chunk  As it came. A chunk that is a whole block becomes the block where it lies; others are copied into one.
   * @returns  The block that this chunk completes, if it does. Nothing else lives in the buffer of its array, so that it can be transferred.
   * @throws SublaceError CHECKSUM_MISMATCH when the bytes are damaged or out of order, INVALID_ARGUMENT when a chunk contradicts itself.
   */
  add(chunk: BlockChunk__Output): Block | undefined {
    const open = (this.#open ??= allocate(chunk));
    if (chunk.name !== open.name || chunk.offset !== open.received || chunk.offset + chunk.bytes.length > open.bytes.length) {
      const expected = `${open.name} at ${open.received} of ${open.bytes.length}`;
      throw new SublaceError(
        'CHECKSUM_MISMATCH',
        `chunk: expected ${expected}, got ${chunk.name} at ${chunk.offset} with ${chunk.bytes.length} bytes`,
      );
    }
    if (chunk.bytes !== open.bytes) open.bytes.set(chunk.bytes, open.received);
    open.checksum = crc32(chunk.bytes, open.checksum);
    open.received += chunk.bytes.length;
    if (open.received < open.bytes.length) return undefined;
    if (open.checksum !== chunk.crc32) {
      throw new SublaceError(
        'CHECKSUM_MISMATCH',
        `block ${open.name}: expected crc32 ${chunk.crc32}, got ${open.checksum}; damaged on the way`,
      );
    }
    this.#open = undefined;
    return { name: open.name, shape: open.shape, data: open.data };
  }

  /**
   * Checks that the stream did not end inside a block.
   *
   * @throws SublaceError UNAVAILABLE when it did.
   */
  end(): void {
    if (!this.#open) return;
    const { name, received, bytes } = this.#open;
    throw new SublaceError('UNAVAILABLE', `block ${name}: expected ${bytes.length} bytes, got ${received} before the stream ended`);
  }
}

function allocate(chunk: BlockChunk__Output) {
  const { name, shape, dtype, totalBytes } = chunk;
  const ArrayType = Object.hasOwn(ARRAYS, dtype) ? ARRAYS[dtype as BlockDtype] : undefined;
  if (!ArrayType || totalBytes > BLOCK_BYTES_MAX || elementCount(shape) * ArrayType.BYTES_PER_ELEMENT !== totalBytes) {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `block ${name}: expected float32, float64 or int32 of at most ${BLOCK_BYTES_MAX} bytes, got ${dtype} [${shape.join(', ')}] in ${totalBytes} bytes`,
    );
  }
  // Small messages share their buffer with others.
  const { buffer, byteOffset, length } = chunk.bytes;
  const isWhole = length === totalBytes && length >= IN_PLACE_BYTES_MIN && byteOffset % ArrayType.BYTES_PER_ELEMENT === 0;
  if (isWhole) {
    const data = new ArrayType(buffer as ArrayBuffer, byteOffset, elementCount(shape));
    return { name, shape, data, bytes: chunk.bytes as Uint8Array, received: 0, checksum: 0 };
  }
  const data = new ArrayType(elementCount(shape));
  return { name, shape, data, bytes: new Uint8Array(data.buffer), received: 0, checksum: 0 };
}
