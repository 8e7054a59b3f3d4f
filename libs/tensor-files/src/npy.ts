import { SublaceError } from '@sublace/errors';
import { DTYPES, bytesOf, checkTensor, dataFromBytes, elementCount, type Tensor, type TensorData, type TensorDtype } from './tensor.ts';
import { float32FromFloat16 } from './half.ts';

/** numpy's kind and size, without the byte order, to our names. */
const DTYPE_OF_KIND: Record<string, TensorDtype> = {
  f8: 'F64',
  f4: 'F32',
  i8: 'I64',
  i4: 'I32',
  i2: 'I16',
  i1: 'I8',
  u8: 'U64',
  u4: 'U32',
  u2: 'U16',
  u1: 'U8',
  b1: 'BOOL',
};
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const HEADER_PATTERN = /^\{'descr': '([<>|=])([a-z])(\d+)', 'fortran_order': (True|False), 'shape': \(([\d, L]*)\),? ?\}\s*$/;

/**
 * Reads a .npy file: versions 1 to 3, floats f2 f4 f8, integers i1..i8 u1..u8, b1, either byte order, C or Fortran order.
 *
 * @param bytes  The file. Borrowed: the data may be a view of it.
 * @returns  Row-major tensor; f2 is widened to F32.
 * @throws SublaceError DATA_INVALID with what was expected and what came.
 */
export function readNpy(bytes: Uint8Array): Tensor {
  const { text, dataStart } = readHeader(bytes);
  const match = HEADER_PATTERN.exec(text);
  if (!match) throw invalid(`expected a header of one plain dtype with fortran_order and shape, got ${text.trim().slice(0, 120)}`);
  const [, order, kind, size, fortran, sizes] = match;
  const stored = `${kind}${size}`;
  if (stored !== 'f2' && !Object.hasOwn(DTYPE_OF_KIND, stored)) {
    throw invalid(`expected dtype f2|${Object.keys(DTYPE_OF_KIND).join('|')}, got ${stored}`);
  }
  const shape = sizes
    .split(',')
    .map((part) => part.trim().replace('L', ''))
    .filter(Boolean)
    .map(Number);
  const expected = elementCount(shape) * Number(size);
  let body = bytes.subarray(dataStart);
  if (body.length !== expected) throw invalid(`expected ${expected} bytes of data for ${stored} [${shape.join(', ')}], got ${body.length}`);

  if (order === '>') body = swapBytes(body, Number(size));
  const dtype = DTYPE_OF_KIND[stored] ?? 'F32';
  const data = stored === 'f2' ? float32FromFloat16(body) : dataFromBytes(dtype, body);
  return { dtype, shape, data: fortran === 'True' ? rowMajorFromFortran(data, shape) : data };
}

/**
 * Writes a .npy file, version 1.0, with the bytes that numpy.save writes.
 *
 * @param tensor  Row-major.
 * @returns  The file, little-endian, C order.
 * @throws SublaceError SHAPE_MISMATCH.
 */
export function writeNpy(tensor: Tensor): Uint8Array {
  checkTensor('npy', tensor);
  const stored = Object.keys(DTYPE_OF_KIND).find((kind) => DTYPE_OF_KIND[kind] === tensor.dtype)!;
  const order = DTYPES[tensor.dtype].BYTES_PER_ELEMENT === 1 ? '|' : '<';
  const shape = tensor.shape.length === 1 ? `(${tensor.shape[0]},)` : `(${tensor.shape.join(', ')})`;
  const dictionary = `{'descr': '${order}${stored}', 'fortran_order': False, 'shape': ${shape}, }`;
  const dataStart = Math.ceil((10 + dictionary.length + 1) / 64) * 64; // numpy aligns the data to 64 bytes
  const file = new Uint8Array(dataStart + tensor.data.byteLength);
  file.set([...MAGIC, 1, 0]);
  new DataView(file.buffer).setUint16(8, dataStart - 10, true);
  file.set(new TextEncoder().encode(dictionary.padEnd(dataStart - 11) + '\n'), 10);
  file.set(bytesOf(tensor.data), dataStart);
  return file;
}

function readHeader(bytes: Uint8Array): { text: string; dataStart: number } {
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte))
    throw invalid('expected the magic bytes \\x93NUMPY, got another kind of file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (version < 1 || version > 3) throw invalid(`expected version 1 to 3, got ${version}`);
  const headerStart = version === 1 ? 10 : 12;
  const dataStart = headerStart + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (dataStart > bytes.length) throw invalid(`expected a header of ${dataStart} bytes, got a file of ${bytes.length} bytes`);
  return { text: new TextDecoder().decode(bytes.subarray(headerStart, dataStart)), dataStart };
}

function swapBytes(bytes: Uint8Array, size: number): Uint8Array {
  const swapped = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) swapped[i - (i % size) + (size - 1 - (i % size))] = bytes[i];
  return swapped;
}

function rowMajorFromFortran(data: TensorData, shape: number[]): TensorData {
  const result = data.slice();
  const index = shape.map(() => 0); // the row-major index of position i
  const strides = shape.map((_, axis) => elementCount(shape.slice(0, axis)));
  for (let i = 0; i < data.length; i++) {
    result[i] = data[index.reduce((sum, value, axis) => sum + value * strides[axis], 0)];
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return result;
}

function invalid(message: string): SublaceError {
  return new SublaceError('DATA_INVALID', `npy: ${message}`);
}
