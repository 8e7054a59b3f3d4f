import { invalid } from '../client-error.ts';
import type { TensorMetadata } from '../protocol/metadata.ts';
import { elementCountOf, type InputTensor } from '../tensors/tensor.ts';

/** A typed array of numbers. */
type NumberArray =
  Float32Array | Float64Array | Uint8Array | Uint8ClampedArray | Uint16Array | Uint32Array | Int8Array | Int16Array | Int32Array;

/** Numbers, or lists of such. */
type NestedNumbers = readonly (number | NumberArray | NestedNumbers)[];

/**
 * What a model is asked about: N examples in raw units, all in one array row-major, or a list of arrays, one for each example, nested as one likes. Bytes
 * (Uint8Array, or what a canvas gives) travel as bytes.
 */
export type Examples = NumberArray | NestedNumbers;

/**
 * Examples as the input of a model.
 *
 * @param examples  N of them. Borrowed.
 * @param input  What the model takes, [-1, ...].
 * @returns  The tensor, [N, ...].
 * @throws SublaceClientError INVALID_ARGUMENT when the numbers are not those of whole examples.
 */
export function inputOf(examples: Examples, { name, shape }: TensorMetadata): InputTensor {
  const exampleShape = shape.slice(1);
  const size = elementCountOf(exampleShape);
  const data = isTyped(examples) ? examples : flatten(examples);
  const count = data.length / size;
  if (!(Number.isInteger(count) && count > 0)) {
    throw invalid(`input '${name}': expected examples of [${exampleShape.join(', ')}], ${size} numbers each, got ${data.length} numbers`);
  }
  if (!isTyped(examples) && typeof examples[0] !== 'number' && examples.length !== count) {
    throw invalid(`input '${name}': expected a list of ${count} examples for ${data.length} numbers, got ${examples.length}`);
  }
  return { name, shape: [count, ...exampleShape], data };
}

function isTyped(value: unknown): value is NumberArray {
  return ArrayBuffer.isView(value);
}

/** One array of all numbers: of bytes when all of them are, else of float32. */
function flatten(examples: NestedNumbers): Uint8Array | Float32Array {
  const leaves: (number | NumberArray)[] = [];
  const visit = (list: NestedNumbers): void => {
    for (const element of list) {
      if (Array.isArray(element)) visit(element as NestedNumbers);
      else leaves.push(element as number | NumberArray);
    }
  };
  visit(examples);
  const areBytes = leaves.length > 0 && leaves.every((leaf) => leaf instanceof Uint8Array || leaf instanceof Uint8ClampedArray);
  const length = leaves.reduce<number>((sum, leaf) => sum + (typeof leaf === 'number' ? 1 : leaf.length), 0);
  const flat = areBytes ? new Uint8Array(length) : new Float32Array(length);
  let offset = 0;
  for (const leaf of leaves) {
    flat.set(typeof leaf === 'number' ? [leaf] : leaf, offset);
    offset += typeof leaf === 'number' ? 1 : leaf.length;
  }
  return flat;
}
