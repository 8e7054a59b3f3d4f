import { SublaceError } from '@sublace/errors';
import { elementCount, type Tensor, type TensorData, type TensorDtype } from '@sublace/tensor-files';

/** The type byte of the magic number. */
const TYPES: Record<number, { dtype: TensorDtype; bytes: number; read: (view: DataView, offset: number) => number }> = {
  0x08: { dtype: 'U8', bytes: 1, read: (view, offset) => view.getUint8(offset) },
  0x09: { dtype: 'I8', bytes: 1, read: (view, offset) => view.getInt8(offset) },
  0x0b: { dtype: 'I16', bytes: 2, read: (view, offset) => view.getInt16(offset) },
  0x0c: { dtype: 'I32', bytes: 4, read: (view, offset) => view.getInt32(offset) },
  0x0d: { dtype: 'F32', bytes: 4, read: (view, offset) => view.getFloat32(offset) },
  0x0e: { dtype: 'F64', bytes: 8, read: (view, offset) => view.getFloat64(offset) },
};
const ARRAYS = { U8: Uint8Array, I8: Int8Array, I16: Int16Array, I32: Int32Array, F32: Float32Array, F64: Float64Array };

/**
 * Reads an IDX file, the format of the MNIST database: magic 0 0 TYPE RANK, big-endian 32-bit sizes, then big-endian elements.
 *
 * @param bytes  The file, unpacked.
 * @returns  The array; a view of the bytes for unsigned bytes.
 * @throws SublaceError DATA_INVALID for another magic number or a file that is too short or too long.
 */
export function readIdx(bytes: Uint8Array): Tensor {
  const type = TYPES[bytes[2]];
  const rank = bytes[3];
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0 || !type || rank === 0) {
    const found = Buffer.from(bytes.subarray(0, 4)).toString('hex');
    throw new SublaceError(
      'DATA_INVALID',
      `idx: expected a magic number 0000 TYPE RANK (2049 = 00000801 for labels, 2051 = 00000803 for images), got ${found || 'an empty file'}`,
    );
  }
  const dataStart = 4 + 4 * rank;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < dataStart)
    throw new SublaceError('DATA_INVALID', `idx: expected a header of ${dataStart} bytes, got a file of ${bytes.length} bytes`);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = elementCount(shape);
  if (bytes.length - dataStart !== count * type.bytes) {
    throw new SublaceError(
      'DATA_INVALID',
      `idx: expected ${count * type.bytes} bytes of data for [${shape.join(', ')}], got ${bytes.length - dataStart} (truncated or with a tail)`,
    );
  }
  if (type.dtype === 'U8') return { dtype: 'U8', shape, data: bytes.subarray(dataStart) };
  const data: TensorData = new ARRAYS[type.dtype as keyof typeof ARRAYS](count);
  for (let i = 0; i < count; i++) data[i] = type.read(view, dataStart + i * type.bytes);
  return { dtype: type.dtype, shape, data };
}
