import { SublaceError } from '@sublace/errors';
import { DTYPES, elementCount } from './tensor.ts';

/** Bytes an element takes in a file, for every type that can be read; the half types are widened to F32. */
export const STORED_BYTES: Record<string, number> = {
  ...Object.fromEntries(Object.entries(DTYPES).map(([dtype, { BYTES_PER_ELEMENT }]) => [dtype, BYTES_PER_ELEMENT])),
  F16: 2,
  BF16: 2,
};

/** Where one tensor lies in a safetensors file; `start` and `end` count from the start of the file. */
export interface SafetensorsEntry {
  name: string;
  dtype: string;
  shape: number[];
  start: number;
  end: number;
}

/** The table of contents of a safetensors file. */
export interface SafetensorsHeader {
  /** In the order in which they lie in the file. */
  entries: SafetensorsEntry[];
  metadata: Record<string, string>;
  /** Where the data begins: 8 + length of the JSON header. */
  dataStart: number;
}

/** The format's own bound on the header. */
const HEADER_BYTES_MAX = 100_000_000;

/**
 * Number of bytes from the start of the file that {@link readSafetensorsHeader} needs, for reading a large file by ranges.
 *
 * @param first  At least the first 8 bytes.
 * @param totalBytes  Size of the file.
 * @returns  8 + header length.
 * @throws SublaceError DATA_INVALID when no header of that length can be there.
 */
export function safetensorsHeaderBytes(first: Uint8Array, totalBytes: number): number {
  if (first.length < 8) throw invalid(`expected 8 bytes of header length, got ${first.length} bytes`);
  const length = new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(HEADER_BYTES_MAX)) throw invalid(`expected a header of at most ${HEADER_BYTES_MAX} bytes, got length ${length}`);
  if (8 + Number(length) > totalBytes) throw invalid(`expected a header of ${length} bytes, got a file of ${totalBytes} bytes`);
  return 8 + Number(length);
}

/**
 * Reads and checks the table of contents.
 *
 * @param bytes  The file, or at least its first {@link safetensorsHeaderBytes} bytes.
 * @param totalBytes  Size of the file; default: that of `bytes`.
 * @returns  Entries sorted by position, together covering all the data.
 * @throws SublaceError DATA_INVALID with what was expected and what came.
 */
export function readSafetensorsHeader(bytes: Uint8Array, totalBytes: number = bytes.length): SafetensorsHeader {
  const dataStart = safetensorsHeaderBytes(bytes, totalBytes);
  const table = parseTable(bytes.subarray(8, dataStart));
  const metadata = parseMetadata(table['__metadata__']);
  const entries = Object.entries(table)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => parseEntry(name, value, dataStart))
    .sort((a, b) => a.start - b.start || a.end - b.end);

  let position = dataStart;
  for (const { name, start, end } of entries) {
    if (start !== position)
      throw invalid(`tensor '${name}': expected data at offset ${position - dataStart}, got ${start - dataStart} (a gap or an overlap)`);
    position = end;
  }
  if (position !== totalBytes)
    throw invalid(`expected ${position - dataStart} bytes of data, got ${totalBytes - dataStart} (truncated or with a tail)`);
  return { entries, metadata, dataStart };
}

function parseTable(json: Uint8Array): Record<string, unknown> {
  let table: unknown;
  try {
    table = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (cause) {
    throw invalid('expected a JSON header, got bytes that do not parse', cause);
  }
  if (!isObject(table)) throw invalid(`expected a JSON object as header, got ${JSON.stringify(table).slice(0, 40)}`);
  return table;
}

function parseMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isObject(value) || Object.values(value).some((text) => typeof text !== 'string'))
    throw invalid('__metadata__: expected an object of strings');
  return value as Record<string, string>;
}

function parseEntry(name: string, value: unknown, dataStart: number): SafetensorsEntry {
  const { dtype, shape, data_offsets: offsets } = isObject(value) ? value : {};
  if (typeof dtype !== 'string' || !Object.hasOwn(STORED_BYTES, dtype)) {
    throw invalid(`tensor '${name}': expected dtype ${Object.keys(STORED_BYTES).join('|')}, got ${JSON.stringify(dtype)}`);
  }
  if (!isSizes(shape)) throw invalid(`tensor '${name}': expected a shape of whole sizes, got ${JSON.stringify(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2)
    throw invalid(`tensor '${name}': expected data_offsets [begin, end], got ${JSON.stringify(offsets)}`);
  const bytes = elementCount(shape) * STORED_BYTES[dtype];
  if (offsets[1] - offsets[0] !== bytes)
    throw invalid(`tensor '${name}': expected ${bytes} bytes for ${dtype} [${shape.join(', ')}], got ${offsets[1] - offsets[0]}`);
  return { name, dtype, shape, start: dataStart + offsets[0], end: dataStart + offsets[1] };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function invalid(message: string, cause?: unknown): SublaceError {
  return new SublaceError('DATA_INVALID', `safetensors: ${message}`, { cause });
}
