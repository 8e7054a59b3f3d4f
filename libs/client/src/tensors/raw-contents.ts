import { DATATYPES, type DataOf, type Datatype, type NumericData, type TensorData } from './datatypes.ts';
import { unexpected } from '../client-error.ts';
import { bfloat16Of, float32OfBfloat16, float32OfHalf, halfOf } from './half-floats.ts';

/** Views over little-endian bytes, which is what every engine that runs this has. */
const views: { readonly [D in Datatype]?: (buffer: ArrayBuffer) => DataOf[D] } = {
  BOOL: (buffer) => new Uint8Array(buffer),
  UINT8: (buffer) => new Uint8Array(buffer),
  UINT16: (buffer) => new Uint16Array(buffer),
  UINT32: (buffer) => new Uint32Array(buffer),
  UINT64: (buffer) => new BigUint64Array(buffer),
  INT8: (buffer) => new Int8Array(buffer),
  INT16: (buffer) => new Int16Array(buffer),
  INT32: (buffer) => new Int32Array(buffer),
  INT64: (buffer) => new BigInt64Array(buffer),
  FP16: (buffer) => Float32Array.from(new Uint16Array(buffer), float32OfHalf),
  BF16: (buffer) => Float32Array.from(new Uint16Array(buffer), float32OfBfloat16),
  FP32: (buffer) => new Float32Array(buffer),
  FP64: (buffer) => new Float64Array(buffer),
};

/**
 * Elements as they travel: row-major, little-endian; of BYTES, each with its length before it (uint32).
 *
 * @param datatype  Data type.
 * @param data  Elements of it. Borrowed: the bytes may share its memory.
 * @returns  Their bytes.
 */
export function writeRaw(datatype: Datatype, data: TensorData): Uint8Array {
  if (Array.isArray(data)) return writeBytes(data);
  if (datatype === 'FP16') return bytesOf(Uint16Array.from(data as Float32Array, halfOf));
  if (datatype === 'BF16') return bytesOf(Uint16Array.from(data as Float32Array, bfloat16Of));
  return bytesOf(data);
}

/**
 * Elements of raw contents.
 *
 * @param datatype  Data type.
 * @param bytes  As they travel. Borrowed; any alignment.
 * @param elementCount  How many the shape asks for.
 * @param label  The tensor, for messages.
 * @returns  The elements, in memory of their own.
 * @throws SublaceClientError UNEXPECTED_ANSWER for another number of bytes.
 */
export function readRaw(datatype: Datatype, bytes: Uint8Array, elementCount: number, label: string): TensorData {
  if (datatype === 'BYTES') return readBytes(bytes, elementCount, label);
  const expected = elementCount * DATATYPES[datatype].bytes;
  if (bytes.length !== expected) throw unexpected(`${label}: expected ${expected} bytes of ${datatype}, got ${bytes.length}`);
  return views[datatype]!(new Uint8Array(bytes).buffer); // a part of a body starts anywhere, a typed array may not
}

function bytesOf(data: NumericData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function writeBytes(elements: readonly Uint8Array[]): Uint8Array {
  const raw = new Uint8Array(elements.reduce((sum, element) => sum + 4 + element.length, 0));
  const view = new DataView(raw.buffer);
  let offset = 0;
  for (const element of elements) {
    view.setUint32(offset, element.length, true);
    raw.set(element, offset + 4);
    offset += 4 + element.length;
  }
  return raw;
}

function readBytes(bytes: Uint8Array, elementCount: number, label: string): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elements: Uint8Array[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const end = offset + 4 <= bytes.length ? offset + 4 + view.getUint32(offset, true) : Infinity;
    if (end > bytes.length)
      throw unexpected(`${label}: expected BYTES elements within ${bytes.length} bytes, got one that ends after them`);
    elements.push(new Uint8Array(bytes.subarray(offset + 4, end)));
    offset = end;
  }
  if (elements.length !== elementCount) throw unexpected(`${label}: expected ${elementCount} BYTES elements, got ${elements.length}`);
  return elements;
}
