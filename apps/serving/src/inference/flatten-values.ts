import { SublaceError } from '@sublace/errors';

/**
 * Numbers of a tensor, given flat or nested as the shape is.
 *
 * @param data  A flat list of all elements, or lists within lists that follow the shape. From outside: anything.
 * @param shape  Already checked against the model, so nesting is followed no deeper than its length.
 * @param datatype  For messages.
 * @param range  Smallest and largest value of an integer type; absent for floating point.
 * @param label  The tensor, for messages.
 * @returns  Row-major, rounded to float32.
 * @throws SublaceError SHAPE_MISMATCH for another number of elements or another nesting, DATA_INVALID for an element that is not a number of
 *   the data type.
 */
export function flattenValues(
  data: unknown,
  shape: readonly number[],
  datatype: string,
  range: readonly [number, number] | undefined,
  label: string,
): Float32Array {
  if (!Array.isArray(data)) throw new SublaceError('DATA_INVALID', `${label}: expected data as a list of numbers, got ${describe(data)}`);
  const elementCount = shape.reduce((product, size) => product * size, 1);
  const isNested = Array.isArray(data[0]);
  requireLength(data, isNested ? shape[0] : elementCount, label);

  // The list at hand has the right length, so its size bounds what is allocated here (nested lists are checked on the way down).
  const values: number[] = [];
  const visit = (list: unknown[], axis: number): void => {
    for (const element of list) {
      if (axis === shape.length - 1) values.push(numberOf(element, datatype, range, label, values.length));
      else {
        if (!Array.isArray(element))
          throw new SublaceError('SHAPE_MISMATCH', `${label}: expected lists nested as [${shape.join(', ')}], got ${describe(element)}`);
        requireLength(element, shape[axis + 1], label);
        visit(element, axis + 1);
      }
    }
  };
  visit(data, isNested ? 0 : shape.length - 1);
  return Float32Array.from(values);
}

function requireLength(list: unknown[], expected: number, label: string): void {
  if (list.length !== expected)
    throw new SublaceError('SHAPE_MISMATCH', `${label}: expected ${expected} elements in data, got ${list.length}`);
}

function numberOf(element: unknown, datatype: string, range: readonly [number, number] | undefined, label: string, index: number): number {
  const isNumber = typeof element === 'number' && (!range || (Number.isInteger(element) && element >= range[0] && element <= range[1]));
  if (!isNumber)
    throw new SublaceError('DATA_INVALID', `${label}: expected ${datatype} numbers, got ${describe(element)} at element ${index}`);
  return element;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : (JSON.stringify(value) ?? 'nothing').slice(0, 40);
}
