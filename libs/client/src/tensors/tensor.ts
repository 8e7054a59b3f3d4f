import type { DataOf, Datatype, TensorData } from './datatypes.ts';

/** A parameter of a request, of a tensor or of an answer. */
export type ParameterValue = string | number | boolean;

/** Parameters by name. */
export type Parameters = Readonly<Record<string, ParameterValue>>;

/** A tensor of an answer. */
export interface Tensor<D extends Datatype = Datatype> {
  readonly name: string;
  readonly datatype: D;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: DataOf[D];
}

/** A tensor of any data type; checking its `datatype` tells the type of its `data`. */
export type AnyTensor = { [D in Datatype]: Tensor<D> }[Datatype];

/** What the elements of an input may be given as. */
export type InputData =
  TensorData | Uint8ClampedArray | readonly number[] | readonly bigint[] | readonly boolean[] | readonly string[] | readonly Uint8Array[];

/** A tensor of a request. */
export interface InputTensor {
  readonly name: string;
  /**
   * Default: that of the typed array (Float32Array is FP32, Uint8Array and Uint8ClampedArray are UINT8, ...); of a plain array, FP32 for numbers, INT64 for
   * bigints, BOOL for booleans, BYTES for strings and for arrays of bytes.
   */
  readonly datatype?: Datatype;
  readonly shape: readonly number[];
  /** Row-major and flat, as many elements as the shape says. Borrowed. */
  readonly data: InputData;
  readonly parameters?: Parameters;
}

/**
 * Number of elements of a shape.
 *
 * @param shape  Sizes.
 * @returns  Their product; 1 for a scalar.
 */
export function elementCountOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

const utf8 = new TextDecoder();

/**
 * Elements of a BYTES tensor as text.
 *
 * @param tensor  Of data type BYTES.
 * @returns  One string for each element, decoded as UTF-8.
 */
export function stringsOf(tensor: Tensor<'BYTES'>): string[] {
  return tensor.data.map((bytes) => utf8.decode(bytes));
}
