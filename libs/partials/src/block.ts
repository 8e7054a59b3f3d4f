import { SublaceError } from '@sublace/errors';

/** Values of a block; little-endian on the wire, row-major. */
export type BlockData = Float32Array | Float64Array | Int32Array;

/** Element type of a block as it is named on the wire. */
export type BlockDtype = 'float32' | 'float64' | 'int32';

/** The unit of transfer, checksum and commit: a named array of at most {@link BLOCK_BYTES_MAX} bytes. */
export interface Block {
  name: string;
  shape: number[];
  data: BlockData;
}

/** Largest size of a block. Larger arrays travel as several blocks, so that no buffer ever spans a whole matrix. */
export const BLOCK_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Element type of an array, by its wire name.
 *
 * @param data  Values of a block.
 * @returns  The name of its element type.
 */
export function dtypeOf(data: BlockData): BlockDtype {
  if (data instanceof Float32Array) return 'float32';
  return data instanceof Float64Array ? 'float64' : 'int32';
}

/**
 * Number of elements of an array of the given shape.
 *
 * @param shape  Sizes, one per axis; `[]` is a scalar.
 * @returns  Their product.
 */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count;
}

/**
 * Checks that a block is what it says: a name, a shape of non-negative integers that fits the data, a size within the limit.
 *
 * @param block  Any block.
 * @returns  The same block.
 * @throws SublaceError SHAPE_MISMATCH when shape and data differ, INVALID_ARGUMENT for a bad name or size.
 */
export function checkBlock(block: Block): Block {
  if (block.name === '') throw new SublaceError('INVALID_ARGUMENT', 'block: expected a name, got an empty one');
  const expected = elementCount(block.shape);
  if (block.shape.some((size) => !Number.isInteger(size) || size < 0) || expected !== block.data.length) {
    throw new SublaceError(
      'SHAPE_MISMATCH',
      `block ${block.name}: expected ${expected} elements for shape [${block.shape.join(', ')}], got ${block.data.length}`,
    );
  }
  if (block.data.byteLength > BLOCK_BYTES_MAX) {
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `block ${block.name}: expected at most ${BLOCK_BYTES_MAX} bytes, got ${block.data.byteLength}; split it`,
    );
  }
  return block;
}

/** Smaller buffers are left to the garbage collector. */
const FREED_BYTES_MIN = 1024 * 1024;

/**
 * Gives the memory of a large block back at once. The garbage collector comes late, and the next block would go to memory that the system must bring
 * first; memory that was just used is also still in the caches.
 *
 * @param block  A block that nobody reads any more, alone in its buffer: its array is empty from now on.
 */
export function freeBlock({ data }: Block): void {
  const buffer = data.buffer as ArrayBuffer;
  if (buffer.byteLength >= FREED_BYTES_MIN) buffer.transfer(0);
}
