/** How the elements of each data type of the Open Inference Protocol are held in JavaScript. */
export interface DataOf {
  /** 0 or 1. */
  BOOL: Uint8Array;
  UINT8: Uint8Array;
  UINT16: Uint16Array;
  UINT32: Uint32Array;
  UINT64: BigUint64Array;
  INT8: Int8Array;
  INT16: Int16Array;
  INT32: Int32Array;
  INT64: BigInt64Array;
  /** Widened, which is exact: not every engine has arrays of half precision. */
  FP16: Float32Array;
  /** Widened, which is exact. */
  BF16: Float32Array;
  FP32: Float32Array;
  FP64: Float64Array;
  /** One array of bytes for each element; {@link stringsOf} reads them as UTF-8. */
  BYTES: Uint8Array[];
}

/** A data type of the Open Inference Protocol. */
export type Datatype = keyof DataOf;

/** Elements of any data type. */
export type TensorData = DataOf[Datatype];

/** Elements of the data types that are arrays of numbers of a fixed size. */
export type NumericData = Exclude<TensorData, Uint8Array[]>;

/** How the elements of one data type travel. */
interface DatatypeRule {
  /** Size of one element on the wire; 0 for BYTES, whose elements have their own. */
  bytes: number;
  /** Smallest and largest value of an integer type; absent for floating point and BYTES. */
  range?: readonly [number, number] | readonly [bigint, bigint];
}

/** Of every data type. */
export const DATATYPES: Readonly<Record<Datatype, DatatypeRule>> = {
  BOOL: { bytes: 1, range: [0, 1] },
  UINT8: { bytes: 1, range: [0, 255] },
  UINT16: { bytes: 2, range: [0, 65_535] },
  UINT32: { bytes: 4, range: [0, 4_294_967_295] },
  UINT64: { bytes: 8, range: [0n, 18_446_744_073_709_551_615n] },
  INT8: { bytes: 1, range: [-128, 127] },
  INT16: { bytes: 2, range: [-32_768, 32_767] },
  INT32: { bytes: 4, range: [-2_147_483_648, 2_147_483_647] },
  INT64: { bytes: 8, range: [-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n] },
  FP16: { bytes: 2 },
  BF16: { bytes: 2 },
  FP32: { bytes: 4 },
  FP64: { bytes: 8 },
  BYTES: { bytes: 0 },
};

/**
 * True for one of the data types of the protocol.
 *
 * @param name  Any string, from outside.
 * @returns  Whether it is a data type.
 */
export function isDatatype(name: string): name is Datatype {
  return Object.hasOwn(DATATYPES, name);
}
