import { checkTensor, bytesOf, dataFromBytes, type Tensor, type TensorDtype } from './tensor.ts';
import { float32FromBfloat16, float32FromFloat16 } from './half.ts';
import { readSafetensorsHeader, type SafetensorsEntry } from './safetensors-header.ts';
import { layoutSafetensors } from './safetensors-layout.ts';

/** The content of a safetensors file. */
export interface SafetensorsFile {
  tensors: Map<string, Tensor>;
  metadata: Record<string, string>;
}

/**
 * Reads a whole safetensors file (https://huggingface.co/docs/safetensors).
 *
 * @param bytes  The file. Borrowed: tensors are views of it where alignment allows.
 * @returns  Tensors in file order; F16 and BF16 widened to F32.
 * @throws SublaceError DATA_INVALID with what was expected and what came.
 */
export function readSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { entries, metadata } = readSafetensorsHeader(bytes);
  const tensors = new Map(entries.map((entry) => [entry.name, decodeSafetensor(entry, bytes.subarray(entry.start, entry.end))]));
  return { tensors, metadata };
}

/**
 * Decodes one tensor from its own bytes, for files that are read by ranges.
 *
 * @param entry  Its entry in the header.
 * @param bytes  Bytes `entry.start` to `entry.end` of the file.
 * @returns  The tensor; F16 and BF16 widened to F32.
 */
export function decodeSafetensor({ dtype, shape }: SafetensorsEntry, bytes: Uint8Array): Tensor {
  if (dtype === 'F16') return { dtype: 'F32', shape, data: float32FromFloat16(bytes) };
  if (dtype === 'BF16') return { dtype: 'F32', shape, data: float32FromBfloat16(bytes) };
  return { dtype: dtype as TensorDtype, shape, data: dataFromBytes(dtype as TensorDtype, bytes) };
}

/**
 * Writes a whole safetensors file to memory; for files beyond 4 GiB use `createSafetensorsWriter`.
 *
 * @param tensors  Written in iteration order.
 * @param metadata  Strings for `__metadata__`, in the given order.
 * @returns  The file; the same input gives the same bytes.
 * @throws SublaceError SHAPE_MISMATCH, INVALID_ARGUMENT.
 */
export function writeSafetensors(tensors: ReadonlyMap<string, Tensor>, metadata: Record<string, string> = {}): Uint8Array {
  const specs = Array.from(tensors, ([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const { header, entries, totalBytes } = layoutSafetensors(specs, metadata);
  for (const [name, tensor] of tensors) checkTensor(`safetensors: tensor '${name}'`, tensor);
  const file = new Uint8Array(totalBytes);
  file.set(header);
  for (const { name, start } of entries) file.set(bytesOf(tensors.get(name)!.data), start);
  return file;
}
