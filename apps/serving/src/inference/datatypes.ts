/** How the elements of one data type of the protocol are held in memory. */
interface DatatypeRule {
  /** Size of one element in raw contents. */
  bytes: number;
  /** The typed array over raw contents, which are little-endian, as every machine that Node runs TensorFlow on is. */
  view: (buffer: ArrayBuffer) => ArrayLike<number> | ArrayLike<bigint>;
  /** Smallest and largest value of an integer type; absent for floating point. */
  range?: readonly [number, number];
}

/** The data types that an input may come in; all become float32. Left out: BOOL, BYTES and the 16-bit floats. */
export const INPUT_DATATYPES: Readonly<Record<string, DatatypeRule>> = {
  FP32: { bytes: 4, view: (buffer) => new Float32Array(buffer) },
  FP64: { bytes: 8, view: (buffer) => new Float64Array(buffer) },
  INT8: { bytes: 1, view: (buffer) => new Int8Array(buffer), range: [-128, 127] },
  INT16: { bytes: 2, view: (buffer) => new Int16Array(buffer), range: [-32768, 32767] },
  INT32: { bytes: 4, view: (buffer) => new Int32Array(buffer), range: [-(2 ** 31), 2 ** 31 - 1] },
  INT64: { bytes: 8, view: (buffer) => new BigInt64Array(buffer), range: [-(2 ** 63), 2 ** 63] },
  UINT8: { bytes: 1, view: (buffer) => new Uint8Array(buffer), range: [0, 255] },
  UINT16: { bytes: 2, view: (buffer) => new Uint16Array(buffer), range: [0, 65535] },
  UINT32: { bytes: 4, view: (buffer) => new Uint32Array(buffer), range: [0, 2 ** 32 - 1] },
  UINT64: { bytes: 8, view: (buffer) => new BigUint64Array(buffer), range: [0, 2 ** 64] },
};

/**
 * Raw contents as float32.
 *
 * @param rule  Data type of the contents.
 * @param bytes  Row-major, little-endian, a whole number of elements. Borrowed; any alignment.
 * @returns  One number for each element, rounded to nearest.
 */
export function float32OfRaw(rule: DatatypeRule, bytes: Uint8Array): Float32Array {
  const aligned = new ArrayBuffer(bytes.length); // a slice of a message starts anywhere, a typed array may not
  new Uint8Array(aligned).set(bytes);
  const view = rule.view(aligned);
  if (view instanceof Float32Array) return view;
  const values = new Float32Array(view.length);
  for (let i = 0; i < view.length; i += 1) values[i] = Number(view[i]);
  return values;
}
