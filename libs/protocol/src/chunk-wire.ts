import { SublaceError } from '@sublace/errors';
import type { BlockChunk, BlockChunk__Output } from './generated/sublace/v1/BlockChunk.ts';

/**
 * BlockChunk in protobuf, by hand: gigabytes of payload pass here, and the general way copies each of them once more on either side. The bytes
 * are those of blocks.proto, so that any other client reads and writes them too (chunk-wire.spec.ts).
 */

/** Tags of the fields: number * 8 + wire type. */
const TAG = { name: 10, shape: 18, shapeUnpacked: 16, dtype: 26, offset: 32, totalBytes: 40, crc32: 48, bytes: 58, padding: 66 } as const;

/** gRPC puts a byte and a length before each message. */
const FRAME_PREFIX_BYTES = 5;

/** Size of the largest element of a block. */
const ALIGNMENT_BYTES = 8;

const NOTHING = Buffer.alloc(0);

/**
 * A message that writes itself into the frame. gRPC asks a serialised message for its length and then to copy itself, as a Buffer does; making
 * one first would be a second copy of everything sent.
 */
class ChunkMessage {
  readonly byteLength: number;
  readonly #header: Uint8Array;
  readonly #payload: Uint8Array;

  constructor(header: Uint8Array, payload: Uint8Array) {
    this.#header = header;
    this.#payload = payload;
    this.byteLength = header.length + payload.length;
  }

  copy(target: Uint8Array, at = 0): number {
    target.set(this.#header, at);
    target.set(this.#payload, at + this.#header.length);
    return this.byteLength;
  }
}

/**
 * A chunk as its message.
 *
 * @param chunk  The chunk. Its payload is borrowed until the message is copied into the frame.
 * @returns  The message, with its payload at a multiple of 8 in the frame. Of a Buffer it has `byteLength` and `copy` only.
 */
export function serialiseChunk(chunk: BlockChunk): Buffer {
  const { name = '', shape = [], dtype = '', offset = 0, totalBytes = 0, crc32 = 0, bytes = NOTHING } = chunk;
  const payload = bytes as Uint8Array;
  const header: number[] = [];
  putBytes(header, TAG.name, Buffer.from(name));
  const sizes: number[] = [];
  for (const size of shape) putVarint(sizes, size);
  putBytes(header, TAG.shape, sizes);
  putBytes(header, TAG.dtype, Buffer.from(dtype));
  putVarint(header, TAG.offset, Number(offset));
  putVarint(header, TAG.totalBytes, Number(totalBytes));
  putVarint(header, TAG.crc32, crc32);
  const tail: number[] = [];
  putVarint(tail, TAG.bytes, payload.length);
  const unpadded = FRAME_PREFIX_BYTES + header.length + 2 + tail.length;
  putBytes(header, TAG.padding, new Uint8Array((ALIGNMENT_BYTES - (unpadded % ALIGNMENT_BYTES)) % ALIGNMENT_BYTES));
  return new ChunkMessage(Uint8Array.of(...header, ...tail), payload) as unknown as Buffer;
}

/**
 * A chunk from its message.
 *
 * @param message  From the wire.
 * @returns  The chunk; its payload is a view of the message.
 * @throws SublaceError INVALID_ARGUMENT when the message ends too early or is no protobuf.
 */
export function parseChunk(message: Buffer): BlockChunk__Output {
  const chunk: BlockChunk__Output = {
    name: '',
    shape: [],
    dtype: '',
    offset: 0,
    totalBytes: 0,
    crc32: 0,
    bytes: NOTHING,
    padding: NOTHING,
  };
  const reader = new WireReader(message);
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    if (tag === TAG.bytes) chunk.bytes = reader.bytes();
    else if (tag === TAG.name) chunk.name = reader.bytes().toString('utf8');
    else if (tag === TAG.dtype) chunk.dtype = reader.bytes().toString('utf8');
    else if (tag === TAG.offset) chunk.offset = reader.varint();
    else if (tag === TAG.totalBytes) chunk.totalBytes = reader.varint();
    else if (tag === TAG.crc32) chunk.crc32 = reader.varint();
    else if (tag === TAG.shapeUnpacked) chunk.shape.push(reader.varint());
    else if (tag === TAG.shape) {
      const sizes = new WireReader(reader.bytes());
      while (!sizes.isAtEnd) chunk.shape.push(sizes.varint());
    } else reader.skip(tag);
  }
  return chunk;
}

function putVarint(target: number[], ...values: number[]): void {
  for (let value of values) {
    for (; value >= 128; value = Math.floor(value / 128)) target.push((value % 128) + 128);
    target.push(value);
  }
}

function putBytes(target: number[], tag: number, bytes: Uint8Array | number[]): void {
  putVarint(target, tag, bytes.length);
  target.push(...bytes);
}

/** Reads what protobuf writes. */
class WireReader {
  readonly #message: Buffer;
  #at = 0;

  constructor(message: Buffer) {
    this.#message = message;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#message.length;
  }

  /** A number; beyond 2^53 it is rounded. */
  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      if (this.isAtEnd) throw malformed('a number');
      const byte = this.#message[this.#at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw malformed('a number');
  }

  bytes(): Buffer {
    const length = this.varint();
    const start = this.#at;
    if (length > this.#message.length - start) throw malformed(`${length} bytes`);
    this.#at += length;
    return this.#message.subarray(start, this.#at);
  }

  /** Passes over a field that this version does not know. */
  skip(tag: number): void {
    const type = tag % 8;
    if (type === 0) this.varint();
    else if (type === 2) this.bytes();
    else if (type === 1 || type === 5) this.#at += type === 1 ? 8 : 4;
    else throw malformed(`a field, not type ${type}`);
    if (this.#at > this.#message.length) throw malformed('a whole field');
  }
}

function malformed(expected: string): SublaceError {
  return new SublaceError('INVALID_ARGUMENT', `block chunk: expected ${expected}, got a message that ends there or is no protobuf`);
}
