import { describe, expect, it } from 'vitest';
import {
  createSafetensorsWriter,
  decodeSafetensor,
  layoutSafetensors,
  readSafetensorsHeader,
  safetensorsHeaderBytes,
  writeSafetensors,
  type Tensor,
} from './index.ts';

const tensors = new Map<string, Tensor>([
  ['tile/0/0', { dtype: 'F64', shape: [3, 2], data: new Float64Array([1, 2, 3, 4, 5, 6]) }],
  ['empty', { dtype: 'F32', shape: [0], data: new Float32Array(0) }],
  ['indices', { dtype: 'I32', shape: [4], data: new Int32Array([4, 3, 2, 1]) }],
]);
const specs = Array.from(tensors, ([name, { dtype, shape }]) => ({ name, dtype, shape }));

function collect() {
  const pieces: Uint8Array[] = [];
  return { sink: async (bytes: Uint8Array) => void pieces.push(bytes.slice()), bytes: () => new Uint8Array(Buffer.concat(pieces)) };
}

describe('createSafetensorsWriter', () => {
  it('writes in pieces what writeSafetensors writes at once', async () => {
    const layout = layoutSafetensors(specs, { a: 'b' });
    const out = collect();
    const writer = createSafetensorsWriter(layout, out.sink);
    await writer.append('tile/0/0', new Float64Array([1, 2, 3]));
    await writer.append('tile/0/0', new Float64Array([4, 5, 6]));
    await writer.append('indices', new Int32Array([4, 3, 2, 1]));
    await writer.finish();
    expect(out.bytes()).toEqual(writeSafetensors(tensors, { a: 'b' }));
    expect(out.bytes().length).toBe(layout.totalBytes);
  });

  it('lays out files beyond 4 GiB', () => {
    const { entries, totalBytes, header } = layoutSafetensors([
      { name: 'a', dtype: 'F64', shape: [30_000, 30_000] },
      { name: 'b', dtype: 'F32', shape: [1] },
    ]);
    expect(entries[1].start).toBe(header.length + 7_200_000_000);
    expect(readSafetensorsHeader(header, totalBytes).entries).toEqual(entries);
  });

  it('refuses another order, too many elements, another array type, and an early end', async () => {
    const writer = createSafetensorsWriter(layoutSafetensors(specs), collect().sink);
    await expect(writer.append('indices', new Int32Array(4))).rejects.toThrow("expected data for 'tile/0/0', got 'indices'");
    await expect(writer.append('tile/0/0', new Float64Array(7))).rejects.toThrow(
      'expected at most 48 more bytes in a Float64Array, got 56',
    );
    await expect(writer.append('tile/0/0', new Float32Array(6))).rejects.toThrow('got 24 in a Float32Array');
    await writer.append('tile/0/0', new Float64Array(5));
    await expect(writer.finish()).rejects.toThrow("tensor 'tile/0/0': expected 48 bytes, got 40");
    await writer.append('tile/0/0', new Float64Array(1));
    await writer.append('indices', new Int32Array(4));
    await writer.finish();
    await expect(writer.append('indices', new Int32Array(1))).rejects.toThrow("expected data for nothing more, got 'indices'");
  });
});

describe('reading by ranges', () => {
  it('needs the first 8 bytes, then the header, then one tensor', () => {
    const file = writeSafetensors(tensors);
    const headerBytes = safetensorsHeaderBytes(file.subarray(0, 8), file.length);
    const { entries } = readSafetensorsHeader(file.subarray(0, headerBytes), file.length);
    const entry = entries.find(({ name }) => name === 'indices')!;
    expect(decodeSafetensor(entry, file.subarray(entry.start, entry.end))).toEqual(tensors.get('indices'));
  });
});
