import { invalid } from '../client-error.ts';
import { DATATYPES, type DataOf, type Datatype, type NumericData, type TensorData } from './datatypes.ts';
import { elementCountOf, type InputData, type InputTensor } from './tensor.ts';

/** An input whose data are of its data type. */
export interface CheckedInput {
  name: string;
  datatype: Datatype;
  shape: readonly number[];
  data: TensorData;
}

type Scalar = number | bigint | boolean;

const arrays: { readonly [D in Exclude<Datatype, 'BYTES'>]: new (length: number) => DataOf[D] } = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Float32Array,
  BF16: Float32Array,
  FP32: Float32Array,
  FP64: Float64Array,
};

/** The data type of each kind of typed array, by its tag, which is the same in every realm of a page. */
const datatypesByTag: Readonly<Record<string, Datatype>> = {
  Uint8Array: 'UINT8',
  Uint8ClampedArray: 'UINT8',
  Uint16Array: 'UINT16',
  Uint32Array: 'UINT32',
  BigUint64Array: 'UINT64',
  Int8Array: 'INT8',
  Int16Array: 'INT16',
  Int32Array: 'INT32',
  BigInt64Array: 'INT64',
  Float32Array: 'FP32',
  Float64Array: 'FP64',
};

/**
 * Checks a tensor and gives its data the type that they travel as.
 *
 * @param input  From the caller.
 * @param label  The tensor, for messages.
 * @returns  The same tensor; its data may share the caller's memory.
 * @throws SublaceClientError INVALID_ARGUMENT for a shape that does not fit the data, or an element that the data type cannot hold.
 */
export function checkTensor(input: InputTensor, label: string): CheckedInput {
  const { name, shape, data } = input;
  const datatype = input.datatype ?? datatypeOf(data, label);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw invalid(`${label}: expected a shape of whole numbers, got [${shape.join(', ')}]`);
  }
  if (elementCountOf(shape) !== data.length) {
    throw invalid(`${label}: expected ${elementCountOf(shape)} elements for shape [${shape.join(', ')}], got ${data.length}`);
  }
  return { name, datatype, shape, data: datatype === 'BYTES' ? bytesElements(data, label) : numericElements(datatype, data, label) };
}

function datatypeOf(data: InputData, label: string): Datatype {
  if (ArrayBuffer.isView(data)) {
    const tag = (data as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? '';
    const datatype = datatypesByTag[tag];
    if (!datatype) throw invalid(`${label}: expected a typed array of the protocol's data types, got ${tag}`);
    return datatype;
  }
  const [first] = data as readonly unknown[];
  if (typeof first === 'bigint') return 'INT64';
  if (typeof first === 'boolean') return 'BOOL';
  return typeof first === 'string' || first instanceof Uint8Array ? 'BYTES' : 'FP32';
}

const utf8 = new TextEncoder();

function bytesElements(data: InputData, label: string): Uint8Array[] {
  return Array.from(data as ArrayLike<unknown>, (element, i) => {
    if (typeof element === 'string') return utf8.encode(element);
    if (element instanceof Uint8Array) return element;
    throw invalid(`${label}: expected strings or arrays of bytes for BYTES, got ${describe(element)} at element ${i}`);
  });
}

function numericElements(datatype: Exclude<Datatype, 'BYTES'>, data: InputData, label: string): TensorData {
  const source = data as ArrayLike<unknown>;
  const elements = new arrays[datatype](source.length) as NumericData;
  if (isAlready(elements, data) && datatype !== 'BOOL') return data; // a Uint8Array may hold more than 0 and 1
  const { range } = DATATYPES[datatype];
  for (let i = 0; i < source.length; i += 1) {
    const value = source[i];
    const isScalar = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
    if (!isScalar || !isWithin(value, range))
      throw invalid(`${label}: expected ${datatype} elements, got ${describe(value)} at element ${i}`);
    elements[i] = typeof elements[i] === 'bigint' ? BigInt(value) : Number(value);
  }
  return elements;
}

function isAlready(elements: NumericData, data: InputData): data is NumericData {
  return Object.getPrototypeOf(elements) === Object.getPrototypeOf(data);
}

function isWithin(value: Scalar, range: readonly [Scalar, Scalar] | undefined): boolean {
  if (!range) return true;
  return (typeof value !== 'number' || Number.isInteger(value)) && value >= range[0] && value <= range[1];
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `the string '${value.slice(0, 40)}'`;
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : `a ${typeof value}`;
}
