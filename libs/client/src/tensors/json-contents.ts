import { invalid, unexpected } from '../client-error.ts';
import { checkTensor, type CheckedInput } from './convert-data.ts';
import type { Datatype, TensorData } from './datatypes.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Elements as JSON has them: numbers, booleans, strings.
 *
 * @param input  Checked.
 * @returns  A flat list.
 * @throws SublaceClientError INVALID_ARGUMENT for what JSON has no form for: half precision (by the protocol), not finite, integers
 *   beyond 2^53, bytes that are not UTF-8.
 */
export function writeJson({ name, datatype, data }: CheckedInput): unknown[] {
  const refuse = (what: string): never => {
    throw invalid(`input '${name}': expected what JSON can hold, got ${what}; send it as binary`);
  };
  if (datatype === 'FP16' || datatype === 'BF16') return refuse(datatype);
  if (Array.isArray(data)) {
    return data.map((bytes, i) => {
      try {
        return utf8.decode(bytes);
      } catch {
        return refuse(`bytes that are not UTF-8 at element ${i}`);
      }
    });
  }
  return Array.from(data as ArrayLike<number | bigint>, (value, i) => {
    const number = Number(value);
    if (!Number.isFinite(number)) return refuse(`${number} at element ${i}`);
    if (typeof value === 'bigint' && !Number.isSafeInteger(number)) return refuse(`${value} at element ${i}`);
    return datatype === 'BOOL' ? number === 1 : number;
  });
}

/**
 * Elements of a list in JSON.
 *
 * @param datatype  Data type.
 * @param data  Flat, or nested as the shape is. From outside: anything.
 * @param shape  Of the tensor.
 * @param label  The tensor, for messages.
 * @returns  The elements.
 * @throws SublaceClientError UNEXPECTED_ANSWER for anything but elements of the data type, as many as the shape says.
 */
export function readJson(datatype: Datatype, data: unknown, shape: readonly number[], label: string): TensorData {
  if (!Array.isArray(data)) throw unexpected(`${label}: expected data as a list, got ${typeof data}`);
  const flat = data.flat(Infinity) as number[];
  try {
    return checkTensor({ name: label, datatype, shape, data: flat }, label).data;
  } catch (cause) {
    throw unexpected((cause as Error).message, { cause });
  }
}
