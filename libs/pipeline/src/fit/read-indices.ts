import { existsSync, readFileSync } from 'node:fs';
import { SublaceError } from '@sublace/errors';
import { readNpy, readSafetensors } from '@sublace/tensor-files';

/**
 * Reads the file of `indices:FILE`: a .npy file, the tensor `indices` of a .safetensors file, a JSON array, or text with one integer per word.
 *
 * @param file  Path.
 * @returns  Flat positions, as they come.
 * @throws {SublaceError} SUBNETWORK_INVALID when it is missing, empty, or holds something else.
 */
export function readIndices(file: string): Int32Array {
  if (!existsSync(file)) throw new SublaceError('SUBNETWORK_INVALID', `indices: expected a file, got nothing at '${file}'`);
  const bytes = readFileSync(file);
  const values = numbersIn(file, bytes);
  // Beyond int32 a position would wrap around to another one.
  const bad = values.find((value) => !Number.isInteger(value) || Math.abs(value) >= 2 ** 31);
  if (bad !== undefined || values.length === 0)
    throw new SublaceError('SUBNETWORK_INVALID', `${file}: expected integers, got ${bad ?? 'none'}`);
  return Int32Array.from(values);
}

function numbersIn(file: string, bytes: Buffer): number[] {
  const numbers = (data: unknown): number[] => Array.from((data ?? []) as ArrayLike<number | bigint>, Number);
  if (file.endsWith('.npy')) return numbers(readNpy(bytes).data);
  if (file.endsWith('.safetensors')) return numbers(readSafetensors(bytes).tensors.get('indices')?.data);
  return bytes
    .toString('utf8')
    .split(/[\s,[\]]+/)
    .filter(Boolean)
    .map(Number);
}
