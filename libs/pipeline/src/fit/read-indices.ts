import { existsSync, readFileSync } from 'node:fs';
import { SublaceError } from '@sublace/errors';
import { readNpy } from '@sublace/tensor-files';

/**
 * Reads the file of `indices:FILE`: a .npy file, a JSON array, or text with one integer per word.
 *
 * @param file  Path.
 * @returns  Flat positions, as they come.
 * @throws {SublaceError} SUBNETWORK_INVALID when it is missing, empty, or holds something else.
 */
export function readIndices(file: string): Int32Array {
  if (!existsSync(file)) throw new SublaceError('SUBNETWORK_INVALID', `indices: expected a file, got nothing at '${file}'`);
  const bytes = readFileSync(file);
  const values = file.endsWith('.npy') ? Array.from(readNpy(bytes).data as ArrayLike<number | bigint>, Number) : bytes.toString('utf8').split(/[\s,[\]]+/).filter(Boolean).map(Number); // prettier-ignore
  // Beyond int32 a position would wrap around to another one.
  const bad = values.find((value) => !Number.isInteger(value) || Math.abs(value) >= 2 ** 31);
  if (bad !== undefined || values.length === 0)
    throw new SublaceError('SUBNETWORK_INVALID', `${file}: expected integers, got ${bad ?? 'none'}`);
  return Int32Array.from(values);
}
