import { SublaceError } from '@sublace/errors';
import type { TensorSpec } from '../models/model.ts';
import { INPUT_DATATYPES, float32OfRaw, type DatatypeRule } from './datatypes.ts';
import { indexOfNonFinite } from './finite.ts';
import { flattenValues } from './flatten-values.ts';
import type { InferInput } from './infer-request.ts';

/**
 * Checks an input against the model's metadata and turns it into float32.
 * Shape and length are compared as numbers first: nothing is allocated for a shape that the contents do not fill.
 *
 * @param input  As it came.
 * @param spec  What the model takes.
 * @returns  Finite values [count, ...], and the count.
 * @throws SublaceError INVALID_ARGUMENT for another data type, SHAPE_MISMATCH for another shape or length, DATA_INVALID for a value that is
 *   not a finite number of the data type.
 */
export function readInput(input: InferInput, spec: TensorSpec): { values: Float32Array; count: number } {
  const label = `input '${spec.name}'`;
  const rule = ruleOf(input.datatype, label);
  const elementCount = checkShape(input.shape, spec, label);
  const { contents } = input;
  if (contents.kind === 'checked' && contents.values.length === elementCount) return { values: contents.values, count: input.shape[0] };
  const values =
    contents.kind === 'raw'
      ? readRaw(contents.bytes, elementCount * rule.bytes, input, label)
      : flattenValues(contents.values, input.shape, { rule, datatype: input.datatype, label });
  requireFinite(values, elementCount / input.shape[0], label);
  return { values, count: input.shape[0] };
}

function ruleOf(datatype: string, label: string): DatatypeRule {
  if (Object.hasOwn(INPUT_DATATYPES, datatype)) return INPUT_DATATYPES[datatype];
  const known = Object.keys(INPUT_DATATYPES)
    .join(', ')
    .replace(/, (?=[^,]*$)/, ' or ');
  throw new SublaceError('INVALID_ARGUMENT', `${label}: expected datatype ${known}, got '${datatype}'`);
}

/** The number of elements of a shape that fits the spec. */
function checkShape(shape: readonly number[], spec: TensorSpec, label: string): number {
  const fits =
    shape.length === spec.shape.length &&
    shape.every((size, axis) => Number.isSafeInteger(size) && (spec.shape[axis] === -1 ? size >= 1 : size === spec.shape[axis]));
  const elementCount = shape.reduce((product, size) => product * size, 1);
  if (fits && Number.isSafeInteger(elementCount)) return elementCount;
  const expected = spec.shape.map((size) => (size === -1 ? 'N' : size)).join(', ');
  throw new SublaceError('SHAPE_MISMATCH', `${label}: expected shape [${expected}] with N of 1 or more, got ${shapeText(shape)}`);
}

function shapeText(shape: readonly number[]): string {
  return shape.length <= 16 ? `[${shape.join(', ')}]` : `one of ${shape.length} dimensions`;
}

function readRaw(bytes: Uint8Array, expectedBytes: number, input: InferInput, label: string): Float32Array {
  if (bytes.length !== expectedBytes) {
    throw new SublaceError(
      'SHAPE_MISMATCH',
      `${label}: expected ${expectedBytes} bytes for ${input.datatype} ${shapeText(input.shape)}, got ${bytes.length}`,
    );
  }
  return float32OfRaw(ruleOf(input.datatype, label), bytes);
}

function requireFinite(values: Float32Array, exampleSize: number, label: string): void {
  const index = indexOfNonFinite(values);
  if (index === -1) return;
  const example = Math.floor(index / exampleSize);
  const place = `example ${example}, element ${index - example * exampleSize}`;
  throw new SublaceError('DATA_INVALID', `${label}: expected finite float32 values, got ${values[index]} at ${place}`);
}
