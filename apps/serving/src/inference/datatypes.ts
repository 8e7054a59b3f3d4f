/** How the elements of one data type of the protocol are held in memory, and which ones JSON and typed contents may give. */
export interface DatatypeRule {
  /** Size of one element in raw contents. */
  readonly bytes: number;
  /** Raw contents, little-endian as every machine that Node runs TensorFlow on is, as float32 rounded to nearest. */
  readonly toFloat32: (buffer: ArrayBuffer) => Float32Array;
  /** Smallest and largest value of an integer type; absent for floating point. */
  readonly range?: readonly [number, number];
  /** Whether elements are true and false. */
  readonly isBoolean?: true;
  /** Whether only bytes can carry it: no JSON, no typed contents. */
  readonly isRawOnly?: true;
}

/** The data types that an input may come in; all become float32. Left out: BYTES. */
export const INPUT_DATATYPES: Readonly<Record<string, DatatypeRule>> = {
  FP32: { bytes: 4, toFloat32: (buffer) => new Float32Array(buffer) },
  FP64: { bytes: 8, toFloat32: (buffer) => new Float32Array(new Float64Array(buffer)) },
  FP16: { bytes: 2, toFloat32: (buffer) => new Float32Array(new Float16Array(buffer)), isRawOnly: true },
  BF16: { bytes: 2, toFloat32: upperHalves, isRawOnly: true },
  INT8: { bytes: 1, toFloat32: (buffer) => new Float32Array(new Int8Array(buffer)), range: [-128, 127] },
  INT16: { bytes: 2, toFloat32: (buffer) => new Float32Array(new Int16Array(buffer)), range: [-32768, 32767] },
  INT32: { bytes: 4, toFloat32: (buffer) => new Float32Array(new Int32Array(buffer)), range: [-(2 ** 31), 2 ** 31 - 1] },
  INT64: { bytes: 8, toFloat32: (buffer) => ofBigInts(new BigInt64Array(buffer)), range: [-(2 ** 63), 2 ** 63] },
  UINT8: { bytes: 1, toFloat32: (buffer) => new Float32Array(new Uint8Array(buffer)), range: [0, 255] },
  UINT16: { bytes: 2, toFloat32: (buffer) => new Float32Array(new Uint16Array(buffer)), range: [0, 65535] },
  UINT32: { bytes: 4, toFloat32: (buffer) => new Float32Array(new Uint32Array(buffer)), range: [0, 2 ** 32 - 1] },
  UINT64: { bytes: 8, toFloat32: (buffer) => ofBigInts(new BigUint64Array(buffer)), range: [0, 2 ** 64] },
  BOOL: { bytes: 1, toFloat32: truths, isBoolean: true },
};

/**
 * Raw contents as float32, in memory of their own: it can move to another thread.
 *
 * @param rule  Data type of the contents.
 * @param bytes  Row-major, little-endian, a whole number of elements. Borrowed; any alignment.
 * @returns  One number for each element, rounded to nearest.
 */
export function float32OfRaw(rule: DatatypeRule, bytes: Uint8Array): Float32Array {
  // A slice of a message starts anywhere, a typed array may not: the one copy that is made of them.
  const aligned = new ArrayBuffer(bytes.length);
  new Uint8Array(aligned).set(bytes);
  return rule.toFloat32(aligned);
}

function ofBigInts(integers: BigInt64Array | BigUint64Array): Float32Array {
  const values = new Float32Array(integers.length);
  for (let i = 0; i < values.length; i += 1) values[i] = Number(integers[i]);
  return values;
}

/** A bfloat16 is the upper half of the float32 of the same value. */
function upperHalves(buffer: ArrayBuffer): Float32Array {
  const bits = Uint32Array.from(new Uint16Array(buffer), (half) => half << 16);
  return new Float32Array(bits.buffer);
}

/** Any byte but 0 is true. */
function truths(buffer: ArrayBuffer): Float32Array {
  return Float32Array.from(new Uint8Array(buffer), (byte) => (byte === 0 ? 0 : 1));
}
