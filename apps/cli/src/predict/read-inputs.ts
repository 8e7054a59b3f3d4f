import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { checkFinite, checkInputShape, loadDataset, readCsv, type Dataset } from '@sublace/data';
import { SublaceError } from '@sublace/errors';
import { readNpy, toFloat32 } from '@sublace/tensor-files';

/** Nested arrays of numbers, as JSON has them. */
type Nested = number | readonly Nested[];

function shapeOf(value: unknown): number[] {
  return Array.isArray(value) ? [value.length, ...(value.length > 0 ? shapeOf(value[0]) : [])] : [];
}

/** Values of nested arrays in row-major order; ragged arrays are refused by the row they are in. */
function flatten(file: string, value: Nested, shape: readonly number[]): Float32Array {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const data = new Float32Array(size);
  let next = 0;
  const walk = (part: unknown, depth: number, row: number): void => {
    if (depth === shape.length) {
      if (typeof part !== 'number')
        throw new SublaceError('DATA_INVALID', `${file}: expected a number in row ${row}, got ${JSON.stringify(part)}`);
      data[next++] = part;
      return;
    }
    if (!Array.isArray(part) || part.length !== shape[depth]) {
      throw new SublaceError(
        'DATA_INVALID',
        `${file}: expected every row of shape [${shape.slice(1).join(', ')}], got another in row ${row}`,
      );
    }
    part.forEach((child, index) => walk(child, depth + 1, depth === 0 ? index : row));
  };
  walk(value, 0, 0);
  return data;
}

function fromTensor(name: string, shape: readonly number[], data: Float32Array): Dataset {
  const [count, ...inputShape] = shape;
  if (count === undefined || count === 0) throw new SublaceError('DATA_INVALID', `${name}: expected rows of inputs, got none`);
  return { name, count, inputShape, inputs: data, targets: { kind: 'none' } };
}

function readJson(file: string): Dataset {
  const value = JSON.parse(readFileSync(file, 'utf8')) as unknown;
  const inputs = (Array.isArray(value) ? value : (value as { inputs?: unknown } | null)?.inputs) as Nested | undefined;
  if (!Array.isArray(inputs))
    throw new SublaceError('DATA_INVALID', `${file}: expected an array of inputs, or an object with 'inputs', got neither`);
  const shape = shapeOf(inputs);
  return fromTensor(file, shape, flatten(file, inputs, shape));
}

async function readAny(source: string): Promise<Dataset> {
  switch (extname(source)) {
    case '.json':
      return readJson(source);
    case '.npy': {
      const tensor = readNpy(readFileSync(source));
      return fromTensor(source, tensor.shape, toFloat32(tensor));
    }
    case '.csv':
      return readCsv(source, readFileSync(source, 'utf8'), { target: 'none' });
    default:
      return loadDataset(source);
  }
}

/**
 * Reads inputs to predict: .npy [N, ...], .csv (a row per input, no target), .json (nested arrays), or any data SPEC.
 *
 * @param source  File or SPEC.
 * @param inputShape  Shape of one input of the model. Rows with as many values, such as a flat image in a CSV, fit too.
 * @returns  Inputs of that shape, all finite.
 * @throws {SublaceError} DATA_INVALID naming the file and, where one is bad, the row.
 */
export async function readInputs(source: string, inputShape: readonly number[]): Promise<Dataset> {
  let data: Dataset;
  try {
    data = await readAny(source);
  } catch (error) {
    if (error instanceof SublaceError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new SublaceError('DATA_INVALID', `${source}: expected inputs as .npy, .csv or .json, or a data SPEC, got: ${reason}`, {
      cause: error,
    });
  }
  const size = inputShape.reduce((product, extent) => product * extent, 1);
  const isFlat = data.inputShape.length === 1 && data.inputShape[0] === size;
  const shaped = checkInputShape(isFlat ? { ...data, inputShape: [...inputShape] } : data, inputShape);
  checkFinite(shaped);
  return shaped;
}
