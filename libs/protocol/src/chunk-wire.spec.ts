import { loadSync } from '@grpc/proto-loader';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChunk, serialiseChunk } from './chunk-wire.ts';
import { LOADER_OPTIONS } from './definitions.ts';
import type { BlockChunk, BlockChunk__Output } from './generated/sublace/v1/BlockChunk.ts';

/** The same message by the general library. */
const { PullBlocks } = loadSync('sublace/v1/blocks.proto', LOADER_OPTIONS)['sublace.v1.Blocks'] as Record<
  string,
  { responseSerialize(chunk: object): Buffer; responseDeserialize(message: Buffer): BlockChunk__Output }
>;

/** What gRPC puts into the frame. */
function sent(chunk: BlockChunk): Buffer {
  const message = serialiseChunk(chunk);
  const bytes = Buffer.alloc(message.byteLength);
  message.copy(bytes, 0);
  return bytes;
}

const chunks = fc.record({
  name: fc.string({ unit: 'grapheme', maxLength: 40 }),
  shape: fc.array(fc.nat(2 ** 31 - 1), { maxLength: 4 }),
  dtype: fc.constantFrom('float32', 'float64', 'int32', ''),
  offset: fc.nat(2 ** 53 - 1),
  totalBytes: fc.nat(2 ** 53 - 1),
  crc32: fc.nat(2 ** 32 - 1),
  bytes: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

describe('a chunk on the wire', () => {
  it('is what any protobuf library reads and writes, with its payload at a multiple of 8', () => {
    fc.assert(
      fc.property(chunks, (chunk) => {
        const message = sent(chunk);
        const { padding: _, ...seen } = PullBlocks.responseDeserialize(message);
        expect(seen).toEqual(chunk);
        const { padding: __, ...ours } = parseChunk(message);
        expect(ours).toEqual(chunk);
        expect(parseChunk(PullBlocks.responseSerialize(chunk))).toMatchObject(chunk);
        expect((5 + message.length - chunk.bytes.length) % 8).toBe(0);
      }),
      { seed: 1 },
    );
  });

  it('is refused, or read as something, whatever came: never anything but a SublaceError', () => {
    const whole = sent({ name: 'ggn/0/0', shape: [2, 3], dtype: 'float32', totalBytes: 24, bytes: Buffer.alloc(24) });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(whole.length), (noise, at) => {
        for (const message of [Buffer.from(noise), Buffer.concat([whole.subarray(0, at), noise])]) {
          try {
            parseChunk(message);
          } catch (error) {
            expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
          }
        }
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  it('may carry fields of a later version', () => {
    const later = Buffer.from([120, 5, 130, 1, 2, 7, 7, 141, 1, 0, 0, 0, 0]);
    const message = Buffer.concat([later, sent({ name: 'a', bytes: Buffer.of(1) })]);
    expect(parseChunk(message)).toMatchObject({ name: 'a', bytes: Buffer.of(1) });
  });
});
