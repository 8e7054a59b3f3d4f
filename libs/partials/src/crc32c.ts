/** Reflected polynomial of CRC-32C (Castagnoli), as in iSCSI (RFC 3720). */
const POLYNOMIAL = 0x82f63b78;

/** Sixteen tables of 256 entries: `TABLES[256 k + b]` is the CRC of byte b followed by k zero bytes. */
const TABLES = buildTables();

function buildTables(): Int32Array {
  const tables = new Int32Array(16 * 256);
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
 * CRC-32C of some bytes.
 *
 * @param bytes  Any bytes; those that start at a multiple of four in their buffer go faster.
 * @param seed  CRC of the bytes before them, to continue a running checksum; 0 at the start.
 * @returns  The checksum, an unsigned 32-bit integer.
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed;
  const wordCount = bytes.byteOffset % 4 === 0 ? (bytes.length >>> 4) * 4 : 0;
  if (wordCount > 0) crc = crcOfWords(new Int32Array(bytes.buffer, bytes.byteOffset, wordCount), crc);
  return ~crcOfBytes(bytes, wordCount * 4, crc) >>> 0;
}

/** Sixteen bytes per step ("slicing by 16"), read as little-endian words. */
function crcOfWords(words: Int32Array, seed: number): number {
  const T = TABLES;
  let crc = seed;
  for (let i = 0; i + 3 < words.length; i += 4) {
    const a = words[i] ^ crc;
    const b = words[i + 1];
    const c = words[i + 2];
    const d = words[i + 3];
    crc =
      T[3840 + (a & 255)] ^
      T[3584 + ((a >>> 8) & 255)] ^
      T[3328 + ((a >>> 16) & 255)] ^
      T[3072 + (a >>> 24)] ^
      T[2816 + (b & 255)] ^
      T[2560 + ((b >>> 8) & 255)] ^
      T[2304 + ((b >>> 16) & 255)] ^
      T[2048 + (b >>> 24)] ^
      T[1792 + (c & 255)] ^
      T[1536 + ((c >>> 8) & 255)] ^
      T[1280 + ((c >>> 16) & 255)] ^
      T[1024 + (c >>> 24)] ^
      T[768 + (d & 255)] ^
      T[512 + ((d >>> 8) & 255)] ^
      T[256 + ((d >>> 16) & 255)] ^
      T[d >>> 24];
  }
  return crc;
}

function crcOfBytes(bytes: Uint8Array, start: number, seed: number): number {
  let crc = seed;
  for (let i = start; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLES[(crc ^ bytes[i]) & 255];
  return crc;
}
