import { SublaceError } from '@sublace/errors';
import { DTYPES, elementCount, type TensorDtype } from './tensor.ts';
import type { SafetensorsEntry } from './safetensors-header.ts';

/** A tensor that is going to be written. */
export interface TensorSpec {
  name: string;
  dtype: TensorDtype;
  shape: number[];
}

/** A safetensors file before its data: header bytes, and where each tensor will lie. */
export interface SafetensorsLayout {
  header: Uint8Array;
  entries: (SafetensorsEntry & { dtype: TensorDtype })[];
  totalBytes: number;
}

/**
 * Lays out a safetensors file: names in the given order, no gaps, header padded with spaces to a multiple of 8 bytes. The same
 * input gives the same bytes.
 *
 * @param specs  Tensors, in the order in which they will lie in the file.
 * @param metadata  Strings for `__metadata__`, in the given order; left out when empty.
 * @returns  The header and the position of each tensor in the file.
 * @throws SublaceError INVALID_ARGUMENT for a name that comes twice or is reserved.
 */
export function layoutSafetensors(specs: readonly TensorSpec[], metadata: Record<string, string> = {}): SafetensorsLayout {
  const names = new Set<string>(['__metadata__']);
  // Written field by field: an object would move names that look like numbers to the front.
  const fields = Object.keys(metadata).length > 0 ? [`"__metadata__":${JSON.stringify(metadata)}`] : [];
  const ends: number[] = [];
  let offset = 0;
  for (const { name, dtype, shape } of specs) {
    if (names.has(name))
      throw new SublaceError('INVALID_ARGUMENT', `safetensors: expected each name once and not '__metadata__', got '${name}' again`);
    names.add(name);
    const end = offset + elementCount(shape) * DTYPES[dtype].BYTES_PER_ELEMENT;
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, end] })}`);
    ends.push((offset = end));
  }

  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  const dataStart = 8 + Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(dataStart).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  header.set(json, 8);
  const entries = specs.map(({ name, dtype, shape }, i) => ({
    name,
    dtype,
    shape: [...shape],
    start: dataStart + (i === 0 ? 0 : ends[i - 1]),
    end: dataStart + ends[i],
  }));
  return { header, entries, totalBytes: dataStart + offset };
}
