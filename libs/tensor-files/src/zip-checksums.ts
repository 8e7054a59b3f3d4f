import { SublaceError } from '@sublace/errors';

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const END_BYTES = 22;

/**
 * CRC-32 of each member of a zip file, from its central directory.
 *
 * @param bytes  The file.
 * @returns  Checksums by member name, in directory order.
 * @throws SublaceError DATA_INVALID when there is no such directory.
 */
export function zipChecksums(bytes: Uint8Array): Map<string, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - END_BYTES;
  while (end >= 0 && view.getUint32(end, true) !== END_SIGNATURE) end--;
  if (end < 0) throw invalid('expected a zip directory at the end of the file, got none (truncated, or not a zip)');

  const checksums = new Map<string, number>();
  let position = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (position + 46 > end || view.getUint32(position, true) !== ENTRY_SIGNATURE)
      throw invalid(`expected a directory entry at byte ${position}`);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => view.getUint16(position + offset, true));
    const name = new TextDecoder().decode(bytes.subarray(position + 46, position + 46 + nameBytes));
    checksums.set(name, view.getUint32(position + 16, true));
    position += 46 + nameBytes + extraBytes + commentBytes;
  }
  return checksums;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/**
 * CRC-32 as zip and gzip use it (polynomial 0xEDB88320).
 *
 * @param bytes  Any bytes.
 * @returns  Unsigned 32-bit value.
 */
export function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return ~value >>> 0;
}

function invalid(message: string): SublaceError {
  return new SublaceError('DATA_INVALID', `npz: ${message}`);
}
