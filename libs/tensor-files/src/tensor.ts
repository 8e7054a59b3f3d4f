import { SublaceError } from '@sublace/errors';

/** Element types, by their safetensors names, with the typed array that holds them in memory (little-endian, as on every host Node runs on). */
export const DTYPES = {
  F64: Float64Array,
  F32: Float32Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  /** One byte an element, 0 or 1. */
  BOOL: Uint8Array,
} as const;

/** Name of an element type that can be held in memory. */
export type TensorDtype = keyof typeof DTYPES;

/** A typed array that some {@link TensorDtype} uses. */
export type TensorData =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | BigUint64Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

/** A dense array: `data` is row-major and holds the product of `shape` elements. */
export interface Tensor {
  dtype: TensorDtype;
  shape: number[];
  data: TensorData;
}

/**
 * Number of elements of a shape; 1 for the shape [] of a scalar.
 *
 * @param shape  Sizes, whole and not negative.
 * @returns  Their product.
 */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Checks that the data of a tensor is of its dtype and as long as its shape says.
 *
 * @param name  For the message.
 * @param tensor  To check.
 * @throws SublaceError SHAPE_MISMATCH.
 */
export function checkTensor(name: string, { dtype, shape, data }: Tensor): void {
  if (!(data instanceof DTYPES[dtype]) || data.length !== elementCount(shape)) {
    throw new SublaceError(
      'SHAPE_MISMATCH',
      `${name}: expected ${elementCount(shape)} elements [${shape.join(', ')}] in a ${DTYPES[dtype].name} for ${dtype}, got ${data.length} in a ${data.constructor.name}`,
    );
  }
}

/**
 * The bytes of a typed array, without a copy.
 *
 * @param data  Any typed array.
 * @returns  A view of its memory.
 */
export function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

/**
 * Little-endian bytes as a typed array: a view of them where their address is aligned, else a copy.
 *
 * @param dtype  Element type.
 * @param bytes  A whole number of elements.
 * @returns  The elements.
 */
export function dataFromBytes(dtype: TensorDtype, bytes: Uint8Array): TensorData {
  const DataArray = DTYPES[dtype];
  const size = DataArray.BYTES_PER_ELEMENT;
  // Not bytes.slice(): a Node Buffer would return a view of the same unaligned memory.
  const source = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new DataArray(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength / size);
}

/**
 * The values as plain float32, for code that does not care how they were stored.
 *
 * @param tensor  Any dtype.
 * @returns  [elements]; the data itself when it is float32 already.
 */
export function toFloat32({ data }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float32Array.from(data, Number);
  return new Float32Array(data);
}
