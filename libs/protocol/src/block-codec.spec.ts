import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Block } from '@sublace/partials';
import { BlockAssembler, encodeBlock } from './block-codec.ts';
import { services } from './definitions.ts';
import type { BlockChunk__Output } from './generated/sublace/v1/BlockChunk.ts';

const { requestSerialize: _in, responseSerialize, responseDeserialize } = services.Blocks.service.PullBlocks;

/** Chunks as the receiver sees them, through real protobuf bytes. */
function sent(block: Block, chunkBytes: number): BlockChunk__Output[] {
  return [...encodeBlock(block, chunkBytes)].map((chunk) => {
    const message = responseSerialize(chunk);
    const frame = Buffer.alloc(5 + message.byteLength);
    message.copy(frame, 5);
    return responseDeserialize(frame.subarray(5));
  });
}

function bytesOf({ data }: Block): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function received(chunks: BlockChunk__Output[]): Block[] {
  const assembler = new BlockAssembler();
  const blocks = chunks.map((chunk) => assembler.add(chunk)).filter((block) => block !== undefined);
  assembler.end();
  return blocks;
}

describe('blocks in chunks', () => {
  it('come back bit for bit, whatever the type, size and chunk size, empty ones included', () => {
    const arrays = [Float32Array, Float64Array, Int32Array];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(2), fc.integer({ min: 1, max: 100 }), (bytes, type, chunkBytes) => {
        const ArrayType = arrays[type];
        const data = new ArrayType(bytes.slice(0, bytes.length - (bytes.length % ArrayType.BYTES_PER_ELEMENT)).buffer);
        const block: Block = { name: 'ggn/0/0', shape: [data.length, 1], data };
        const [copy, ...rest] = received(sent(block, chunkBytes));
        expect(rest).toEqual([]);
        expect([copy.name, copy.shape, copy.data.constructor]).toEqual([block.name, block.shape, ArrayType]);
        expect(Buffer.from(copy.data.buffer)).toEqual(Buffer.from(data.buffer));
      }),
      { seed: 1 },
    );
  });

  it('become the block where they lie when they are whole and large, alone in their buffer', () => {
    for (const ArrayType of [Float32Array, Float64Array]) {
      const data = new ArrayType(20_000).map((_: number, i: number) => i / 3);
      const [chunk] = sent({ name: 'ggn/0/0', shape: [20_000], data }, 2 ** 20);
      const [block] = received([chunk]);
      expect(bytesOf(block)).toEqual(Buffer.from(data.buffer));
      expect(block.data.buffer).toBe(chunk.bytes.buffer);
      const [copied] = received(sent({ name: 'ggn/0/0', shape: [20_000], data }, 30_000));
      expect(bytesOf(copied)).toEqual(Buffer.from(data.buffer));
      expect(copied.data.byteLength).toBe(copied.data.buffer.byteLength);
    }
  });

  it('are views of the block on the way out', () => {
    const data = Float32Array.of(1, 2, 3);
    const [chunk] = encodeBlock({ name: 'a/0', shape: [3], data });
    expect((chunk.bytes as Buffer).buffer).toBe(data.buffer);
  });

  it('are refused when a byte is damaged, a chunk is lost, repeated or out of order, or the stream ends early', () => {
    const block: Block = { name: 'a/0', shape: [100], data: Float32Array.from({ length: 100 }, (_, i) => i) };
    const damaged = sent(block, 64);
    damaged[3].bytes[5] ^= 1;
    const chunks = sent(block, 64);
    const mismatch = expect.objectContaining({ code: 'CHECKSUM_MISMATCH' });
    expect(() => received(damaged)).toThrow(mismatch);
    expect(() => received(chunks.toSpliced(2, 1))).toThrow(mismatch);
    expect(() => received(chunks.toSpliced(2, 0, chunks[2]))).toThrow(mismatch);
    expect(() => received([chunks[1], chunks[0]])).toThrow(mismatch);
    expect(() => received(chunks.slice(0, -1))).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
  });

  it('are refused before any memory is taken when their header makes no sense', () => {
    const [chunk] = sent({ name: 'a/0', shape: [2], data: Float32Array.of(1, 2) }, 64);
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
    for (const wrong of [{ dtype: 'complex64' }, { dtype: 'constructor' }, { shape: [3] }, { totalBytes: 2 ** 40, shape: [2 ** 38] }]) {
      expect(() => received([{ ...chunk, ...wrong }])).toThrow(invalid);
    }
  });
});
