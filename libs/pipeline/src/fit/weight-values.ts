import { existsSync, readFileSync } from 'node:fs';
import { SublaceError } from '@sublace/errors';
import type { ParameterLayout } from '@sublace/network';
import { readNpy } from '@sublace/tensor-files';

/** Values of a file: one per weight tensor by name, or a vector. */
export type WeightValues =
  { readonly kind: 'named'; readonly values: ReadonlyMap<string, number> } | { readonly kind: 'vector'; readonly values: Float64Array };

/**
 * Reads numbers that belong to weights: a JSON object of one number per weight tensor (`{"dense1/kernel": 3}`), or a vector as .npy, as a JSON array or as
 * text with one number per word.
 *
 * @param file  Path.
 * @param option  Name of the option, for messages.
 * @returns  The finite values.
 * @throws {SublaceError} INVALID_ARGUMENT when there is no such file or something in it is not a finite number.
 */
export function readWeightValues(file: string, option: string): WeightValues {
  const fail = (expected: string, got: string): SublaceError =>
    new SublaceError('INVALID_ARGUMENT', `${option}: expected ${expected}, got ${got} in '${file}'`);
  if (!existsSync(file)) throw new SublaceError('INVALID_ARGUMENT', `${option}: expected a file, got nothing at '${file}'`);
  const bytes = readFileSync(file);
  const named = file.endsWith('.json') ? namedValues(bytes.toString('utf8')) : undefined;
  const values = named
    ? [...named.values()]
    : file.endsWith('.npy')
      ? Array.from(readNpy(bytes).data as ArrayLike<number | bigint>, Number)
      : bytes
          .toString('utf8')
          .split(/[\s,[\]]+/)
          .filter(Boolean)
          .map(Number);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (values.length === 0) throw fail('numbers', 'none');
  if (bad >= 0) throw fail('finite numbers', `${values[bad]} at position ${bad}`);
  return named ? { kind: 'named', values: named } : { kind: 'vector', values: Float64Array.from(values) };
}

/** The numbers of a JSON object; undefined for any other text, which is read as a vector. */
function namedValues(text: string): Map<string, number> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return new Map(
      Object.entries(JSON.parse(text) as object).map(([name, value]) => [name, typeof value === 'number' ? value : Number.NaN]),
    );
  } catch {
    return undefined;
  }
}

/**
 * Values of the weights of a subnetwork.
 *
 * @param read  What a file holds.
 * @param indices  Flat positions of the S weights.
 * @param layout  Of the model.
 * @param option  Name of the option, for messages.
 * @returns  [S]: of a vector of P values those of the subnetwork; of named values the one of each weight's tensor.
 * @throws {SublaceError} INVALID_ARGUMENT when a vector has neither S nor P values, or names and weight tensors differ.
 */
export function valuesAt(read: WeightValues, indices: Int32Array, layout: ParameterLayout, option: string): Float64Array {
  if (read.kind === 'vector') {
    const { length } = read.values;
    if (length === indices.length) return read.values;
    if (length === layout.size) return Float64Array.from(indices, (index) => read.values[index]);
    throw new SublaceError(
      'INVALID_ARGUMENT',
      `${option}: expected ${indices.length} values (the subnetwork) or ${layout.size} (the whole model), got ${length}`,
    );
  }
  const names = layout.entries.map(({ layer, weight }) => `${layer}/${weight}`);
  const unknown = [...read.values.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new SublaceError('INVALID_ARGUMENT', `${option}: expected names of weights (${names.join(', ')}), got '${unknown}'`);
  const values = new Float64Array(indices.length);
  let at = 0;
  for (const { entry, columns } of layout.split(indices)) {
    const value = read.values.get(`${entry.layer}/${entry.weight}`);
    if (value === undefined)
      throw new SublaceError('INVALID_ARGUMENT', `${option}: expected a value for '${entry.layer}/${entry.weight}', got none`);
    values.fill(value, at, (at += columns.length));
  }
  return values;
}
