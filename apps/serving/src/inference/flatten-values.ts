import { SublaceError } from '@sublace/errors';
import type { DatatypeRule } from './datatypes.ts';

/** What is being read: for the checks of its elements, and for messages. */
interface Elements {
  readonly rule: DatatypeRule;
  readonly datatype: string;
  readonly label: string;
}

/**
 * Numbers of a tensor, given flat or nested as the shape is.
 *
 * @param data  A flat list of all elements, or lists within lists that follow the shape. From outside: anything.
 * @param shape  Already checked against the model, so nesting is followed no deeper than its length.
 * @param elements  Data type and its rule; the tensor's name, for messages.
 * @returns  Row-major, rounded to float32.
 * @throws SublaceError SHAPE_MISMATCH for another number of elements or another nesting, DATA_INVALID for an element that is not one of the
 *   data type.
 */
export function flattenValues(data: unknown, shape: readonly number[], elements: Elements): Float32Array {
  const { label, datatype, rule } = elements;
  if (rule.isRawOnly)
    throw new SublaceError('DATA_INVALID', `${label}: expected ${datatype} as raw bytes, the only form it has, got numbers`);
  if (!Array.isArray(data)) throw new SublaceError('DATA_INVALID', `${label}: expected data as a list of numbers, got ${describe(data)}`);
  const elementCount = shape.reduce((product, size) => product * size, 1);
  if (shape.length > 1 && Array.isArray(data[0])) checkNesting(data, shape, 0, label);
  else {
    requireLength(data, elementCount, label);
    const values = new Float32Array(elementCount);
    fill(values, 0, data as unknown[], elements);
    return values;
  }
  // Only now that every list has its length is anything allocated for the shape.
  const values = new Float32Array(elementCount);
  let offset = 0;
  const visit = (list: unknown[], axis: number): void => {
    if (axis === shape.length - 1) {
      fill(values, offset, list, elements);
      offset += list.length;
    } else for (const inner of list) visit(inner as unknown[], axis + 1);
  };
  visit(data, 0);
  return values;
}

/** That lists are nested as the shape is, down to the innermost; what is in those is not looked at. */
function checkNesting(list: unknown[], shape: readonly number[], axis: number, label: string): void {
  requireLength(list, shape[axis], label);
  if (axis === shape.length - 1) return;
  for (const inner of list) {
    if (!Array.isArray(inner))
      throw new SublaceError('SHAPE_MISMATCH', `${label}: expected lists nested as [${shape.join(', ')}], got ${describe(inner)}`);
    checkNesting(inner, shape, axis + 1, label);
  }
}

function requireLength(list: unknown[], expected: number, label: string): void {
  if (list.length !== expected)
    throw new SublaceError('SHAPE_MISMATCH', `${label}: expected ${expected} elements in data, got ${list.length}`);
}

/** Writes the elements of one innermost list. */
function fill(values: Float32Array, offset: number, list: unknown[], { rule, datatype, label }: Elements): void {
  const { range, isBoolean } = rule;
  for (let i = 0; i < list.length; i += 1) {
    const element = list[i];
    if (typeof element === 'number' && !isBoolean && (!range || (Number.isInteger(element) && element >= range[0] && element <= range[1])))
      values[offset + i] = element;
    else if (isBoolean && (typeof element === 'boolean' || element === 0 || element === 1)) values[offset + i] = Number(element);
    else {
      const what = isBoolean ? 'true or false' : `${datatype} numbers`;
      throw new SublaceError('DATA_INVALID', `${label}: expected ${what}, got ${describe(element)} at element ${offset + i}`);
    }
  }
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : (JSON.stringify(value) ?? 'nothing').slice(0, 40);
}
