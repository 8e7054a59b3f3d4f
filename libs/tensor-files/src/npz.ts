import { SublaceError } from '@sublace/errors';
import { unzipSync } from 'fflate';
import { readNpy } from './npy.ts';
import { crc32, zipChecksums } from './zip-checksums.ts';
import type { Tensor } from './tensor.ts';

/**
 * Reads a .npz file (a zip of .npy files, compressed or not).
 *
 * @param bytes  The file.
 * @returns  Tensors by name, without `.npy`, in the order of the zip's directory.
 * @throws SublaceError DATA_INVALID for a damaged zip or member, naming the member.
 */
export function readNpz(bytes: Uint8Array): Map<string, Tensor> {
  const checksums = zipChecksums(bytes);
  let members: Record<string, Uint8Array>;
  try {
    members = unzipSync(bytes);
  } catch (cause) {
    throw new SublaceError('DATA_INVALID', `npz: expected a whole zip file, got one that does not unpack (${(cause as Error).message})`, {
      cause,
    });
  }
  const tensors = new Map<string, Tensor>();
  for (const [file, checksum] of checksums) {
    if (!file.endsWith('.npy')) continue;
    // fflate does not compare checksums, and a damaged stored member would pass unseen.
    if (crc32(members[file]) !== checksum)
      throw new SublaceError('DATA_INVALID', `npz: member '${file}': expected CRC-32 ${hex(checksum)}, got ${hex(crc32(members[file]))}`);
    tensors.set(file.slice(0, -'.npy'.length), readNpy(members[file]));
  }
  return tensors;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
