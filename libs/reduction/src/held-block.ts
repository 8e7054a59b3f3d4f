import { SublaceError } from '@sublace/errors';
import { BinnedSum, dtypeOf, elementCount, FixedQuantumSum, type BlockData, type BlockDtype } from '@sublace/partials';
import type { Phase } from '@sublace/scheduling';
import type { ShardSet } from './shard-set.ts';

/** One block of a job: a sum over shards, or one that is kept as it came. */
export interface HeldBlock {
  name: string;
  phase: Phase;
  shape: number[];
  content: BinnedSum | FixedQuantumSum | BlockData;
  /** The shards that are in it. */
  shards: ShardSet;
  /** Grows with every commit, so that what did not change is not written again. */
  version: number;
}

/** What has to be known, beside its bytes, to make the content of a block again. */
export type ContentKind =
  { kind: 'binned'; addendCount: number } | { kind: 'fixed'; exponent: number } | { kind: 'kept'; dtype: BlockDtype };

const ARRAYS = { float32: Float32Array, float64: Float64Array, int32: Int32Array } as const;

/**
 * Bytes that a block takes in memory.
 *
 * @param content  Its content.
 * @returns  Bytes of its arrays.
 */
export function bytesOfContent(content: HeldBlock['content']): number {
  if (content instanceof BinnedSum) return content.length * 17;
  return content instanceof FixedQuantumSum ? content.length * 8 : content.byteLength;
}

/**
 * The content of a block as it is at this instant.
 *
 * @param content  Of a block that may go on growing.
 * @returns  What kind it is, and a copy of its bytes, little-endian.
 */
export function encodeContent(content: HeldBlock['content']): { kind: ContentKind; bytes: Uint8Array } {
  if (content instanceof BinnedSum) {
    const { bins, high, low, addendCount } = content.state();
    return { kind: { kind: 'binned', addendCount }, bytes: Buffer.concat([high, low, bins].map(viewOf)) };
  }
  if (content instanceof FixedQuantumSum) {
    return { kind: { kind: 'fixed', exponent: content.exponent }, bytes: Uint8Array.from(viewOf(content.value())) };
  }
  return { kind: { kind: 'kept', dtype: dtypeOf(content) }, bytes: Uint8Array.from(viewOf(content)) };
}

/**
 * The content of a block that was saved, with the same bits.
 *
 * @param kind  What kind it is.
 * @param shape  Shape of the block.
 * @param bytes  From {@link encodeContent}.
 * @returns  The content; it shares no memory with the bytes.
 * @throws SublaceError DIGEST_MISMATCH when the bytes do not fit the shape.
 */
export function decodeContent(kind: ContentKind, shape: readonly number[], bytes: Uint8Array): HeldBlock['content'] {
  const count = elementCount(shape);
  const width = kind.kind === 'binned' ? 17 : kind.kind === 'fixed' ? 8 : ARRAYS[kind.dtype].BYTES_PER_ELEMENT;
  if (bytes.length !== count * width) {
    throw new SublaceError('DIGEST_MISMATCH', `block [${shape.join(', ')}]: expected ${count * width} bytes, got ${bytes.length}`);
  }
  // A copy with a buffer of its own: the bytes of an object may be part of a pool, at any offset.
  const { buffer } = Uint8Array.from(bytes);
  if (kind.kind === 'fixed') return FixedQuantumSum.restore(new Float64Array(buffer), kind.exponent);
  if (kind.kind === 'kept') return new ARRAYS[kind.dtype](buffer);
  const [high, low] = [new Float64Array(buffer, 0, count), new Float64Array(buffer, 8 * count, count)];
  return BinnedSum.restore({ high, low, bins: new Int8Array(buffer, 16 * count, count), addendCount: kind.addendCount });
}

function viewOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
