// cspell:words ustar
import { SublaceError } from '@sublace/errors';

const BLOCK_BYTES = 512;

/**
 * The plain files of a tar archive (POSIX ustar), without their folders.
 *
 * @param bytes  The archive, unpacked.
 * @returns  Contents by base name, views of the bytes.
 * @throws SublaceError DATA_INVALID for a truncated or damaged archive.
 */
export function readTar(bytes: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let start = 0; start + BLOCK_BYTES <= bytes.length && bytes[start] !== 0;) {
    const header = bytes.subarray(start, start + BLOCK_BYTES);
    const stored = octal(header, 148, 8);
    // The checksum counts its own field as spaces.
    const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
    if (sum !== stored) throw new SublaceError('DATA_INVALID', `tar: expected header checksum ${stored} at byte ${start}, got ${sum}`);
    const size = octal(header, 124, 12);
    const end = start + BLOCK_BYTES + size;
    if (end > bytes.length) throw new SublaceError('DATA_INVALID', `tar: expected ${end} bytes, got ${bytes.length} (truncated)`);
    const isFile = header[156] === 0 || header[156] === 0x30;
    if (isFile) files.set(text(header, 0, 100).split('/').at(-1)!, bytes.subarray(start + BLOCK_BYTES, end));
    start += BLOCK_BYTES + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return files;
}

function text(header: Uint8Array, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const zero = field.indexOf(0);
  return new TextDecoder().decode(zero < 0 ? field : field.subarray(0, zero));
}

function octal(header: Uint8Array, start: number, length: number): number {
  return Number.parseInt(text(header, start, length).trim() || '0', 8);
}
