/** Reflected polynomial of CRC-32C (Castagnoli), as in iSCSI (RFC 3720). */
const POLYNOMIAL = 0x82f63b78;

/** Eight tables of 256 entries: `TABLES[256 k + b]` is the CRC of byte b followed by k zero bytes. */
const TABLES = buildTables();

function buildTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256];
    tables[i] = (before >>> 8) ^ tables[before & 255];
  }
  return tables;
}

/**
 * CRC-32C of some bytes, eight bytes per step ("slicing by 8").
 *
 * @param bytes  Any bytes.
 * @param seed  CRC of the bytes before them, to continue a running checksum; 0 at the start.
 * @returns  The checksum, an unsigned 32-bit integer.
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  const T = TABLES;
  const length = bytes.length;
  let crc = ~seed;
  let i = 0;
  for (const end = length - 7; i < end; i += 8) {
    crc ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    crc =
      T[1792 + (crc & 255)] ^
      T[1536 + ((crc >>> 8) & 255)] ^
      T[1280 + ((crc >>> 16) & 255)] ^
      T[1024 + (crc >>> 24)] ^
      T[768 + bytes[i + 4]] ^
      T[512 + bytes[i + 5]] ^
      T[256 + bytes[i + 6]] ^
      T[bytes[i + 7]];
  }
  for (; i < length; i++) crc = (crc >>> 8) ^ T[(crc ^ bytes[i]) & 255];
  return ~crc >>> 0;
}
